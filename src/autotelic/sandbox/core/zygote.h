/* The fork loop: one fresh copy-on-write process a program. The same as inside/zygote.py, faster. */
#ifndef AUTOTELIC_ZYGOTE_H
#define AUTOTELIC_ZYGOTE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

/* The shared page (wire.PAGE): a candidate writes it, the zygote reads it once the candidate is dead. */
typedef struct {
    uint32_t finished, results, printed;
} Head;

typedef struct {
    double wall_s, cpu_s;
    uint32_t room;    /* bytes of outputs, and of what is printed */
    uint32_t results; /* bytes of the results area */
    size_t size;      /* bytes of the whole page */
    Head *head;
    char *results_at, *printed_at;
    char *in, *out, *job; /* what was read, what is to be written, the one program being run */
    size_t in_used, out_used, job_used;
    PyObject *scan, *scope; /* parses JSON text; the namespace programs are run in */
} Zygote;

extern Zygote zygote;

/* Fork once for a sample program before the seal is shut, and note which pages it maps: every program will.
 * `proc` is /proc, open. Returns how many pages. */
long zygote_rehearse(int proc, const char *code, size_t code_size, const char *inputs, size_t inputs_size);

int zygote_open(double wall_s, double cpu_s, uint32_t output_kb, uint32_t seed);
int zygote_serve(int reader, int writer);
/* What a forked process gives up beyond what it inherits. */
void zygote_confine(void);
/* Run the program in zygote.job and report on the page; does not return. */
void candidate_run(const char *code, size_t code_size, const char *entry, size_t entry_size, const char *inputs,
                   size_t inputs_size);
_Noreturn void candidate(const char *code, size_t code_size, const char *entry, size_t entry_size,
                         const char *inputs, size_t inputs_size);
/* Whether the lines on the page are what a report writes. Allocates nothing. */
int report_check(const char *lines, size_t size);
extern PyTypeObject PrintedType;

#endif
