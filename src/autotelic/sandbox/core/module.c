/* The `_core` module: canonical JSON on both sides, and the zygote's fork loop. */
#define _GNU_SOURCE
#include "image.h"
#include "json.h"
#include "zygote.h"

#include <errno.h>
#include <unistd.h>

/* syscall(number, *arguments): integers and byte buffers. */
static PyObject *core_syscall(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    long values[7] = {0};
    Py_buffer buffers[7];
    int held = 0;
    PyObject *result = NULL;
    if (count < 1 || count > 7)
        return PyErr_Format(PyExc_TypeError, "syscall takes a number and up to 6 arguments, got %zd", count);
    for (Py_ssize_t index = 0; index < count; index++) {
        if (PyLong_Check(arguments[index])) {
            values[index] = PyLong_AsLong(arguments[index]);
            if (values[index] == -1 && PyErr_Occurred())
                goto out;
        } else if (PyObject_GetBuffer(arguments[index], &buffers[held], PyBUF_SIMPLE) == 0) {
            values[index] = (long)buffers[held++].buf;
        } else {
            goto out;
        }
    }
    long value = syscall(values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
    result = value < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(value);
out:
    while (held)
        PyBuffer_Release(&buffers[--held]);
    return result;
}

static PyObject *core_address(PyObject *self, PyObject *buffer) {
    if (!PyByteArray_Check(buffer))
        return PyErr_Format(PyExc_TypeError, "address takes a bytearray");
    return PyLong_FromVoidPtr(PyByteArray_AS_STRING(buffer));
}

static PyObject *not_json, *too_long; /* the exceptions of inside/encode.py, set by `errors` */

static PyObject *core_errors(PyObject *self, PyObject *arguments) {
    PyObject *first, *second;
    if (!PyArg_ParseTuple(arguments, "OO", &first, &second))
        return NULL;
    Py_XSETREF(not_json, Py_NewRef(first));
    Py_XSETREF(too_long, Py_NewRef(second));
    Py_RETURN_NONE;
}

static int write_into(Text *text, PyObject *value, size_t room) {
    char why[200] = "";
    size_t size = room < 4096 ? room : 4096;
    *text = (Text){NULL, NULL, NULL, room, true};
    text->start = text->at = PyMem_Malloc(size ? size : 1);
    if (!text->start) {
        PyErr_NoMemory();
        return -1;
    }
    text->end = text->start + size;
    switch (json_write(value, text, why, sizeof why)) {
    case WRITTEN: return 0;
    case NOT_JSON: PyErr_SetString(not_json ? not_json : PyExc_TypeError, why); break;
    case TOO_LONG: PyErr_Format(too_long ? too_long : PyExc_ValueError, "longer than %zu bytes", room); break;
    default: break;
    }
    PyMem_Free(text->start);
    return -1;
}

static PyObject *core_encode(PyObject *self, PyObject *arguments) {
    PyObject *value;
    Py_ssize_t room;
    Text text;
    if (!PyArg_ParseTuple(arguments, "On", &value, &room))
        return NULL;
    if (write_into(&text, value, (size_t)(room > 0 ? room : 0)))
        return NULL;
    PyObject *result = PyUnicode_DecodeASCII(text.start, text.at - text.start, "strict");
    PyMem_Free(text.start);
    return result;
}

static PyObject *core_is_canonical(PyObject *self, PyObject *text) {
    Py_ssize_t size;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);
    return bytes ? PyBool_FromLong(json_check(bytes, (size_t)size)) : NULL;
}

static PyObject *core_open(PyObject *self, PyObject *arguments) {
    double wall, cpu;
    unsigned int output_kb, seed;
    if (!PyArg_ParseTuple(arguments, "ddIIOO", &wall, &cpu, &output_kb, &seed, &zygote.scan, &zygote.scope))
        return NULL;
    Py_INCREF(zygote.scan);
    Py_INCREF(zygote.scope);
    if (zygote_open(wall, cpu, output_kb, seed))
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *core_serve(PyObject *self, PyObject *arguments) {
    int reader, writer;
    if (!PyArg_ParseTuple(arguments, "ii", &reader, &writer))
        return NULL;
    return zygote_serve(reader, writer) < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

/* In one call, so that as little as possible is written between the image and the rehearsal. */
static PyObject *core_image(PyObject *self, PyObject *arguments) {
    int smaps, proc;
    Py_buffer code, inputs;
    if (!PyArg_ParseTuple(arguments, "iiy*y*", &smaps, &proc, &code, &inputs))
        return NULL;
    long huge = image_huge_text(smaps), size = image_take(smaps), pages = -1;
    if (size >= 0)
        pages = zygote_rehearse(proc, code.buf, (size_t)code.len, inputs.buf, (size_t)inputs.len);
    PyBuffer_Release(&code);
    PyBuffer_Release(&inputs);
    return pages < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_BuildValue("lll", size, huge, pages);
}

static PyMethodDef methods[] = {
    {"syscall", (PyCFunction)(void (*)(void))core_syscall, METH_FASTCALL, "syscall(number, *arguments) -> int"},
    {"address", core_address, METH_O, "address(bytearray) -> int"},
    {"errors", core_errors, METH_VARARGS, "errors(not_json, too_long): what `encode` raises"},
    {"encode", core_encode, METH_VARARGS, "encode(value, room) -> canonical JSON text"},
    {"is_canonical", core_is_canonical, METH_O, "is_canonical(text) -> bool"},
    {"open", core_open, METH_VARARGS, "open(wall_s, cpu_s, output_kb, seed, scan, scope): make the shared page"},
    {"image", core_image, METH_VARARGS,
     "image(smaps, proc, code, inputs) -> (bytes imaged, bytes of code on huge pages, pages to take at once)"},
    {"serve", core_serve, METH_VARARGS, "serve(reader, writer): run every program until the pipe closes"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_core", .m_doc = "The sandbox's C core.", .m_size = -1, .m_methods = methods,
};

PyMODINIT_FUNC PyInit__core(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module && (PyType_Ready(&PrintedType) || PyModule_AddObjectRef(module, "Printed", (PyObject *)&PrintedType)))
        Py_CLEAR(module);
    return module;
}
