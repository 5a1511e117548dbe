/* In the forked process: load the program, call it with every case, write a line about each. */
#include "zygote.h"
#include "json.h"
#include "scratch.h"

#include <marshal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FINISHED 0x600D600Du    /* wire.FINISHED */
#define ERROR_TEXT 400          /* wire.ERROR_TEXT */
#define ERROR_KEPT (1u << 15)   /* wire.ERROR_KEPT */

static void line(char tag, const char *text, size_t size) {
    if (size > ERROR_TEXT)
        size = ERROR_TEXT;
    if (size > scratch->spare)
        size = scratch->spare;
    scratch->spare -= (uint32_t)size;
    char *at = zygote.results_at + zygote.head->results;
    *at = tag;
    memcpy(at + 1, text, size);
    at[1 + size] = '\n';
    zygote.head->results += (uint32_t)size + 2;
}

/* Append printable ASCII; anything else as Python's backslashreplace has it. */
static size_t show(char *into, size_t size, PyObject *text) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    size_t used = 0;
    for (Py_ssize_t index = 0; index < length && used + 11 < size; index++) {
        Py_UCS4 point = PyUnicode_READ_CHAR(text, index);
        if (point < 128)
            into[used++] = point >= 32 && point < 127 ? (char)point : ' ';
        else
            used += (size_t)snprintf(into + used, size - used,
                                     point < 256 ? "\\x%02x" : point < 65536 ? "\\u%04x" : "\\U%08x", point);
    }
    return used;
}

static size_t show_name(char *into, size_t size, PyTypeObject *type) {
    PyObject *name = PyUnicode_DecodeUTF8(type_name(type), (Py_ssize_t)strlen(type_name(type)), "replace");
    size_t used = name ? show(into, size, name) : 0;
    Py_XDECREF(name);
    PyErr_Clear();
    return used;
}

/* An exception's argument: a base type's own text, or only its class. */
static size_t show_argument(char *into, size_t size, PyObject *value, bool quoted) {
    bool text = PyUnicode_CheckExact(value);
    if (text && !quoted)
        return show(into, size, value);
    if (!text && !PyLong_CheckExact(value) && !PyFloat_CheckExact(value) && !PyBool_Check(value) && value != Py_None) {
        size_t used = 0;
        into[used++] = '<';
        used += show_name(into + used, size - used - 2, Py_TYPE(value));
        into[used++] = '>';
        return used;
    }
    PyObject *shown = Py_TYPE(value)->tp_repr(value);
    size_t used = shown ? show(into, size, shown) : 0;
    Py_XDECREF(shown);
    PyErr_Clear();
    return used;
}

/* `TypeName: message` of the current exception, from its storage: its own methods are not called. */
static void failure(char tag) {
    char text[2048];
    size_t used = 0;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (value && PyExceptionInstance_Check(value)) {
        used = show_name(text, ERROR_TEXT, Py_TYPE(value));
        PyObject *arguments = ((PyBaseExceptionObject *)value)->args;
        Py_ssize_t count = arguments && PyTuple_Check(arguments) ? PyTuple_GET_SIZE(arguments) : 0;
        bool key = count == 1 && PyType_IsSubtype(Py_TYPE(value), (PyTypeObject *)PyExc_KeyError);
        bool os = count == 2 && PyType_IsSubtype(Py_TYPE(value), (PyTypeObject *)PyExc_OSError);
        size_t name = used;
        for (Py_ssize_t index = 0; index < count && index < 4 && used < ERROR_TEXT; index++) {
            const char *before = index ? (os ? "] " : ", ") : os ? ": [Errno " : ": ";
            used += (size_t)sprintf(text + used, "%s", before);
            size_t shown = show_argument(text + used, ERROR_TEXT + 16, PyTuple_GET_ITEM(arguments, index), key);
            used += shown;
            if (!shown && count == 1)
                used = name; /* an empty message needs no colon */
        }
    }
    line(tag, text, used);
    PyErr_Clear(); /* value and trace are left alone: dropping them could run the program's code */
}

static void one_case(PyObject *function, const char *input, size_t size) {
    PyObject *text = PyUnicode_FromStringAndSize(input, (Py_ssize_t)size);
    PyObject *parsed = text ? PyObject_CallFunction(zygote.scan, "On", text, (Py_ssize_t)0) : NULL;
    PyObject *arguments = parsed ? PyList_AsTuple(PyTuple_GET_ITEM(parsed, 0)) : NULL;
    Py_XDECREF(parsed);
    Py_XDECREF(text);
    PyObject *value = arguments ? PyObject_Call(function, arguments, NULL) : NULL;
    if (!value) {
        failure('!');
        return;
    }
    char *at = zygote.results_at + zygote.head->results, why[200];
    Text out = {at + 1, at + 1, at + 1 + scratch->room, 0, false};
    switch (json_write(value, &out, why, sizeof why)) {
    case WRITTEN:
        *at = '=';
        *out.at = '\n';
        scratch->room -= (uint32_t)(out.at - at - 1);
        zygote.head->results += (uint32_t)(out.at - at + 1);
        break;
    case NOT_JSON: {
        char shown[ERROR_TEXT];
        PyObject *reason = PyUnicode_DecodeUTF8(why, (Py_ssize_t)strlen(why), "replace");
        line('?', shown, reason ? show(shown, sizeof shown, reason) : 0);
        break;
    }
    case TOO_LONG:
        line('%', why, (size_t)snprintf(why, sizeof why, "longer than %u bytes", scratch->room));
        break;
    default: failure('!');
    }
    /* `value` is kept: dropping it could run the program's code between two cases that look separate. */
}

/* The collector lists tuples it has not yet looked at; a program's own constants should not be found there. */
static void hide_constants(PyObject *code) {
    PyObject *constants = ((PyCodeObject *)code)->co_consts;
    if (PyObject_GC_IsTracked(constants))
        PyObject_GC_UnTrack(constants);
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(constants); index++) {
        PyObject *item = PyTuple_GET_ITEM(constants, index);
        if (PyCode_Check(item))
            hide_constants(item);
        else if (PyTuple_CheckExact(item) && PyObject_GC_IsTracked(item))
            PyObject_GC_UnTrack(item);
    }
}

void candidate_run(const char *code, size_t code_size, const char *entry, size_t entry_size, const char *inputs,
                   size_t inputs_size) {
    scratch->room = zygote.room;
    scratch->spare = ERROR_KEPT;
    PyObject *program = PyMarshal_ReadObjectFromString(code, (Py_ssize_t)code_size);
    if (!program || !PyCode_Check(program)) {
        failure('*');
        return;
    }
    hide_constants(program);
    if (!PyEval_EvalCode(program, zygote.scope, zygote.scope)) {
        failure('*');
        return;
    }
    PyObject *name = PyUnicode_FromStringAndSize(entry, (Py_ssize_t)entry_size);
    PyObject *function = name ? PyDict_GetItemWithError(zygote.scope, name) : NULL;
    if (!function || !PyCallable_Check(function)) {
        line('-', "", 0);
        return;
    }
    Py_INCREF(function);
    for (const char *end = inputs + inputs_size; inputs < end;) {
        const char *stop = memchr(inputs, '\n', (size_t)(end - inputs));
        if (!stop)
            stop = end;
        one_case(function, inputs, (size_t)(stop - inputs));
        inputs = stop + 1;
    }
}

_Noreturn void candidate(const char *code, size_t code_size, const char *entry, size_t entry_size,
                         const char *inputs, size_t inputs_size) {
    zygote_confine();
    candidate_run(code, code_size, entry, entry_size, inputs, inputs_size);
    zygote.head->finished = FINISHED;
    for (;;)
        syscall(SYS_exit_group, 0);
}

int report_check(const char *lines, size_t size) {
    for (const char *end = lines + size; lines < end;) {
        const char *stop = memchr(lines, '\n', (size_t)(end - lines));
        if (!stop || stop == lines)
            return 0;
        if (*lines == '=') {
            if (!json_check(lines + 1, (size_t)(stop - lines - 1)))
                return 0;
        } else if (!strchr("!%?*-", *lines)) {
            return 0;
        } else {
            for (const char *at = lines + 1; at < stop; at++)
                if (*at < 32 || *at > 126)
                    return 0;
        }
        lines = stop + 1;
    }
    return 1;
}

/* ---- sys.stdout ------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD bool mute;
} Printed;

static PyObject *printed_write(PyObject *self, PyObject *text) {
    if (!PyUnicode_Check(text))
        return PyErr_Format(PyExc_TypeError, "write() argument must be str, not %s", type_name(Py_TYPE(text)));
    if (!((Printed *)self)->mute && zygote.head) {
        PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
        if (!bytes)
            return NULL;
        size_t used = zygote.head->printed, size = (size_t)PyBytes_GET_SIZE(bytes);
        used = used < zygote.room ? used : zygote.room; /* the program can write this page, if it tries */
        size = size < zygote.room - used ? size : zygote.room - used;
        memcpy(zygote.printed_at + used, PyBytes_AS_STRING(bytes), size);
        zygote.head->printed = (uint32_t)(used + size);
        Py_DECREF(bytes);
    }
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *printed_writelines(PyObject *self, PyObject *lines) {
    PyObject *iterator = PyObject_GetIter(lines), *item;
    if (!iterator)
        return NULL;
    while ((item = PyIter_Next(iterator))) {
        PyObject *written = printed_write(self, item);
        Py_DECREF(item);
        if (!written) {
            Py_DECREF(iterator);
            return NULL;
        }
        Py_DECREF(written);
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *printed_flush(PyObject *self, PyObject *none) { return Py_NewRef(Py_None); }
static PyObject *printed_false(PyObject *self, PyObject *none) { return Py_NewRef(Py_False); }
static PyObject *printed_true(PyObject *self, PyObject *none) { return Py_NewRef(Py_True); }
static PyObject *printed_text(PyObject *self, void *text) { return PyUnicode_FromString(text); }
static PyObject *printed_closed(PyObject *self, void *none) { return Py_NewRef(Py_False); }

static PyObject *printed_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    int mute = 0;
    if (!PyArg_ParseTuple(arguments, "|p", &mute))
        return NULL;
    PyObject *self = type->tp_alloc(type, 0);
    if (self)
        ((Printed *)self)->mute = mute;
    return self;
}

static PyMethodDef printed_methods[] = {
    {"write", printed_write, METH_O, NULL},
    {"writelines", printed_writelines, METH_O, NULL},
    {"flush", printed_flush, METH_NOARGS, NULL},
    {"isatty", printed_false, METH_NOARGS, NULL},
    {"readable", printed_false, METH_NOARGS, NULL},
    {"seekable", printed_false, METH_NOARGS, NULL},
    {"writable", printed_true, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef printed_attributes[] = {
    {"encoding", printed_text, NULL, NULL, "utf-8"},
    {"errors", printed_text, NULL, NULL, "backslashreplace"},
    {"closed", printed_closed, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
PyTypeObject PrintedType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_core.Printed",
    .tp_basicsize = sizeof(Printed),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "What sys.stdout is inside: keeps the first bytes on the shared page; if mute, none.",
    .tp_new = printed_new,
    .tp_methods = printed_methods,
    .tp_getset = printed_attributes,
};
