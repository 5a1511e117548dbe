/* Canonical JSON: written from the storage of base types, and checked.
 *
 * Compact, keys sorted by code point, ASCII. The same text as inside/encode.py, which is the reference. */
#ifndef AUTOTELIC_JSON_H
#define AUTOTELIC_JSON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

#define DEEPEST 200 /* wire.DEPTH */

/* Where text goes: `at` up to `end`. With `grows`, `start` is from PyMem_Malloc and may become `most` long. */
typedef struct {
    char *start, *at, *end;
    size_t most;
    bool grows;
} Text;

enum { WRITTEN = 0, NOT_JSON = -1, TOO_LONG = -2, RAISED = -3 };

/* Write `value`. NOT_JSON leaves the reason in `why`; RAISED leaves a Python error set. Calls nothing of the
 * value's own: types are compared exactly, so that a subclass is not a JSON value. */
int json_write(PyObject *value, Text *text, char *why, size_t why_size);

/* A class's name from its storage; its metaclass has no say. */
const char *type_name(PyTypeObject *type);

/* Whether text[0:size] is what json_write writes for some value. Allocates nothing. */
bool json_check(const char *text, size_t size);

#endif
