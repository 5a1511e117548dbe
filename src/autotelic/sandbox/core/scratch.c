#define _GNU_SOURCE
#include "scratch.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include <sys/mman.h>

#define SIZE ((size_t)64 << 10) /* small programs fit, and one that does not has lost 16 page faults */
#define ALIGNED(size) (((size) + 15) & ~(size_t)15)

Scratch *scratch;
static char *end;
static uint32_t dice_seed;
static PyMemAllocatorEx object_allocator, memory_allocator; /* the interpreter's own */

int scratch_open(uint32_t seed) {
    void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return -1;
    scratch = at;
    dice_seed = seed;
    end = (char *)at + SIZE;
    return 0;
}

bool scratch_is(const char *start) { return start == (char *)scratch; }

static bool within(const void *at) { return (const char *)at >= (char *)scratch && (const char *)at < end; }

static char *first_free(void) {
    if (!scratch->next) {
        scratch->next = (char *)scratch + ALIGNED(sizeof *scratch);
        scratch->dice = dice_seed * 2654435761u + 1;
    }
    return scratch->next;
}

/* 0 or 16 bytes: a linear congruential generator's best bit (Knuth, TAOCP 2, 3.3.4). */
static size_t gap(void) {
    scratch->dice = scratch->dice * 1664525u + 1013904223u;
    return scratch->dice >> 31 << 4;
}

/* NULL where it does not fit. Nothing too has a place of its own, inside the area. */
static void *take(size_t size) {
    char *at = first_free() + gap();
    if (at > end || size > SIZE || ALIGNED(size + !size) > (size_t)(end - at))
        return NULL;
    scratch->last = at;
    scratch->next = at + ALIGNED(size + !size);
    return at;
}

static void *allocate(void *context, size_t size) {
    const PyMemAllocatorEx *own = context;
    void *at = take(size);
    return at ? at : own->malloc(own->ctx, size);
}

static void *allocate_zeroed(void *context, size_t count, size_t size) {
    const PyMemAllocatorEx *own = context;
    void *at = size && count > SIZE / size ? NULL : take(count * size); /* the interpreter's own says if it is absurd */
    return at ? memset(at, 0, count * size) : own->calloc(own->ctx, count, size);
}

static void release(void *context, void *at) {
    const PyMemAllocatorEx *own = context;
    if (!within(at))
        own->free(own->ctx, at);
    else if (at == scratch->last)
        scratch->next = at;
}

static void *reallocate(void *context, void *at, size_t size) {
    const PyMemAllocatorEx *own = context;
    if (!within(at))
        return at ? own->realloc(own->ctx, at, size) : allocate(context, size);
    size_t most = (size_t)(end - (char *)at);
    if (at == scratch->last && size <= most) {
        scratch->next = (char *)at + ALIGNED(size + !size);
        return at;
    }
    /* How long it was is not kept: what lies behind it is copied along, and overwritten by whoever asked. */
    void *moved = allocate(context, size);
    return moved ? memmove(moved, at, size < most ? size : most) : NULL;
}

void scratch_begin(void) {
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &object_allocator);
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &memory_allocator);
    PyMemAllocatorEx objects = {&object_allocator, allocate, allocate_zeroed, reallocate, release};
    PyMemAllocatorEx memory = {&memory_allocator, allocate, allocate_zeroed, reallocate, release};
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &objects);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &memory);
}
