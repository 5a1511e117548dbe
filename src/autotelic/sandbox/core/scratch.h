/* Where a program's first objects go: side by side.
 *
 * A fork shares every page with its zygote until it writes to it, and the interpreter's own allocator has a page, and
 * a header on another, for each size of object: a program of ten lines copies dozens of pages for a few kilobytes. So
 * the first of its memory comes from one empty area, in the order asked for, and is not used again; what comes after
 * is the interpreter's as ever.
 *
 * Between objects lie gaps that differ from seed to seed: what depends on where objects are, as the order of a set of
 * them does, comes out differently in two zygotes, and is found. */
#ifndef AUTOTELIC_SCRATCH_H
#define AUTOTELIC_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>

/* The head of the area, for what else is written in every run. */
typedef struct {
    char *next, *last;    /* the first free byte; the latest object that still has it behind */
    uint32_t room, spare; /* bytes left for outputs, and for error texts */
    uint32_t dice;        /* throws for the gaps between objects */
} Scratch;

extern Scratch *scratch;

int scratch_open(uint32_t seed);
/* From here on the interpreter allocates from the area first. Called before the fork that is to use it. */
void scratch_begin(void);
bool scratch_is(const char *start);

#endif
