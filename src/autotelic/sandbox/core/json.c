#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int grow(Text *text, size_t more) {
    if (!text->grows)
        return TOO_LONG;
    size_t used = (size_t)(text->at - text->start), size = (size_t)(text->end - text->start);
    if (used + more > text->most)
        return TOO_LONG;
    while (size < used + more)
        size *= 2;
    if (size > text->most)
        size = text->most;
    char *start = PyMem_Realloc(text->start, size);
    if (!start) {
        PyErr_NoMemory();
        return RAISED;
    }
    *text = (Text){start, start + used, start + size, text->most, true};
    return WRITTEN;
}

static inline int need(Text *text, size_t more) {
    return (size_t)(text->end - text->at) >= more ? WRITTEN : grow(text, more);
}

static int put(Text *text, const char *bytes, size_t size) {
    int result = need(text, size);
    if (result == WRITTEN) {
        memcpy(text->at, bytes, size);
        text->at += size;
    }
    return result;
}

static int write_int(PyObject *value, Text *text) {
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (!overflow) {
        char digits[24];
        return put(text, digits, (size_t)snprintf(digits, sizeof digits, "%lld", small));
    }
    /* A decimal digit takes more than three bits: do not spend quadratic time on what cannot fit. */
    PyObject *bits = PyObject_CallMethod(value, "bit_length", NULL);
    if (!bits)
        return RAISED;
    size_t count = PyLong_AsSize_t(bits);
    Py_DECREF(bits);
    size_t left = text->grows ? text->most - (size_t)(text->at - text->start) : (size_t)(text->end - text->at);
    if (count == (size_t)-1 || count / 4 > left) {
        PyErr_Clear();
        return TOO_LONG;
    }
    PyObject *digits = PyLong_Type.tp_repr(value);
    if (!digits)
        return RAISED;
    Py_ssize_t size;
    const char *bytes = PyUnicode_AsUTF8AndSize(digits, &size);
    int result = bytes ? put(text, bytes, (size_t)size) : RAISED;
    Py_DECREF(digits);
    return result;
}

static int write_float(double value, Text *text, char *why, size_t why_size) {
    if (!isfinite(value)) {
        snprintf(why, why_size, "the float %s is no JSON value", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return NOT_JSON;
    }
    char *digits = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (!digits)
        return RAISED;
    int result = put(text, digits, strlen(digits));
    PyMem_Free(digits);
    return result;
}

static char *escape(char *at, unsigned int unit) {
    static const char hex[] = "0123456789abcdef";
    *at++ = '\\';
    *at++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *at++ = hex[unit >> shift & 15];
    return at;
}

static int write_string(PyObject *value, Text *text, char *why, size_t why_size) {
    Py_ssize_t size = PyUnicode_GET_LENGTH(value);
    int kind = PyUnicode_KIND(value);
    const void *data = PyUnicode_DATA(value);
    int result = put(text, "\"", 1);
    for (Py_ssize_t index = 0; result == WRITTEN && index < size; index++) {
        Py_UCS4 point = PyUnicode_READ(kind, data, index);
        if (point >= 0xD800 && point < 0xE000) {
            /* Two of them would read as the one character that the pair stands for. */
            snprintf(why, why_size, "a string with a lone surrogate is no JSON value");
            return NOT_JSON;
        }
        char piece[12], *at = piece;
        if (point >= 32 && point < 127 && point != '"' && point != '\\') {
            *at++ = (char)point;
        } else if (point == '"' || point == '\\') {
            *at++ = '\\';
            *at++ = (char)point;
        } else if (point < 32 && point && strchr("\n\r\t\b\f", (int)point)) {
            *at++ = '\\';
            *at++ = "btn\0fr"[point - 8];
        } else if (point < 0x10000) {
            at = escape(at, point);
        } else {
            at = escape(at, 0xD800 + ((point - 0x10000) >> 10));
            at = escape(at, 0xDC00 + ((point - 0x10000) & 0x3FF));
        }
        result = put(text, piece, (size_t)(at - piece));
    }
    return result == WRITTEN ? put(text, "\"", 1) : result;
}

const char *type_name(PyTypeObject *type) {
    const char *dot = type->tp_flags & Py_TPFLAGS_HEAPTYPE ? NULL : strrchr(type->tp_name, '.');
    return dot ? dot + 1 : type->tp_name;
}

static int write_value(PyObject *value, Text *text, char *why, size_t why_size, int depth);

static int write_list(PyObject *value, Text *text, char *why, size_t why_size, int depth) {
    int result = put(text, "[", 1);
    for (Py_ssize_t index = 0; result == WRITTEN && index < PyList_GET_SIZE(value); index++) {
        if (index && (result = put(text, ",", 1)) != WRITTEN)
            break;
        result = write_value(PyList_GET_ITEM(value, index), text, why, why_size, depth + 1);
    }
    return result == WRITTEN ? put(text, "]", 1) : result;
}

static int write_dict(PyObject *value, Text *text, char *why, size_t why_size, int depth) {
    PyObject *keys = PyDict_Keys(value);
    if (!keys)
        return RAISED;
    int result = put(text, "{", 1);
    for (Py_ssize_t index = 0; result == WRITTEN && index < PyList_GET_SIZE(keys); index++) {
        PyObject *key = PyList_GET_ITEM(keys, index);
        if (!PyUnicode_CheckExact(key)) {
            snprintf(why, why_size, "a key of type %.80s is no JSON key", type_name(Py_TYPE(key)));
            result = NOT_JSON;
        }
    }
    if (result == WRITTEN && PyList_Sort(keys) < 0)
        result = RAISED;
    for (Py_ssize_t index = 0; result == WRITTEN && index < PyList_GET_SIZE(keys); index++) {
        PyObject *key = PyList_GET_ITEM(keys, index), *item = PyDict_GetItemWithError(value, key);
        if (!item) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_RuntimeError, "the dictionary changed");
            result = RAISED;
            break;
        }
        if (index && (result = put(text, ",", 1)) != WRITTEN)
            break;
        if ((result = write_string(key, text, why, why_size)) == WRITTEN && (result = put(text, ":", 1)) == WRITTEN)
            result = write_value(item, text, why, why_size, depth + 1);
    }
    Py_DECREF(keys);
    return result == WRITTEN ? put(text, "}", 1) : result;
}

static int write_value(PyObject *value, Text *text, char *why, size_t why_size, int depth) {
    if (value == Py_None)
        return put(text, "null", 4);
    if (value == Py_True)
        return put(text, "true", 4);
    if (value == Py_False)
        return put(text, "false", 5);
    if (PyLong_CheckExact(value))
        return write_int(value, text);
    if (PyUnicode_CheckExact(value))
        return write_string(value, text, why, why_size);
    if (PyFloat_CheckExact(value))
        return write_float(PyFloat_AS_DOUBLE(value), text, why, why_size);
    bool list = PyList_CheckExact(value);
    if (!list && !PyDict_CheckExact(value)) {
        snprintf(why, why_size, "a %.80s is no JSON value", type_name(Py_TYPE(value)));
        return NOT_JSON;
    }
    if (depth >= DEEPEST) {
        snprintf(why, why_size, "nested deeper than %d", DEEPEST);
        return NOT_JSON;
    }
    return list ? write_list(value, text, why, why_size, depth) : write_dict(value, text, why, why_size, depth);
}

int json_write(PyObject *value, Text *text, char *why, size_t why_size) {
    return write_value(value, text, why, why_size, 0);
}

/* ---- the check -------------------------------------------------------------------------------------------- */

typedef struct {
    const char *at, *end;
} Cursor;

static bool eat(Cursor *cursor, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, word, size))
        return false;
    cursor->at += size;
    return true;
}

/* One UTF-16 unit of a canonical string, or -1 at anything that is not canonical. */
static int string_unit(Cursor *cursor) {
    if (cursor->at >= cursor->end)
        return -1;
    unsigned char c = (unsigned char)*cursor->at++;
    if (c < 32 || c > 126 || c == '"')
        return -1;
    if (c != '\\')
        return c;
    if (cursor->at >= cursor->end)
        return -1;
    switch (*cursor->at++) {
    case '"': return '"';
    case '\\': return '\\';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': break;
    default: return -1;
    }
    if (cursor->end - cursor->at < 4)
        return -1;
    int unit = 0;
    for (int index = 0; index < 4; index++) {
        char digit = *cursor->at++;
        int value = digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
        if (value < 0)
            return -1;
        unit = unit * 16 + value;
    }
    bool shorter = (unit >= 32 && unit < 127) || (unit && unit < 32 && strchr("\b\f\n\r\t", unit));
    return shorter ? -1 : unit;
}

/* One code point, or -1; a surrogate pair is one, and a lone surrogate is none. */
static int string_point(Cursor *cursor) {
    int high = string_unit(cursor);
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    int low = high < 0xDC00 ? string_unit(cursor) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static bool check_string(Cursor *cursor, Cursor *content) {
    if (!eat(cursor, "\""))
        return false;
    content->at = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '"')
        if (string_point(cursor) < 0)
            return false;
    content->end = cursor->at;
    return eat(cursor, "\"");
}

/* Whether the key `left` sorts strictly before `right`, by code point. */
static bool before(Cursor left, Cursor right) {
    while (left.at < left.end && right.at < right.end) {
        int a = string_point(&left), b = string_point(&right);
        if (a != b)
            return a < b;
    }
    return left.at == left.end && right.at < right.end;
}

static size_t digits(Cursor *cursor) {
    const char *from = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
        cursor->at++;
    return (size_t)(cursor->at - from);
}

static bool check_number(Cursor *cursor) {
    const char *from = cursor->at;
    bool negative = eat(cursor, "-");
    const char *whole = cursor->at;
    size_t count = digits(cursor);
    if (!count || (count > 1 && *whole == '0'))
        return false;
    bool fraction = eat(cursor, "."), exponent = false;
    if (fraction && !digits(cursor))
        return false;
    if (cursor->at < cursor->end && *cursor->at == 'e') {
        cursor->at++;
        exponent = true;
        if (!eat(cursor, "-") && !eat(cursor, "+"))
            return false;
        if (digits(cursor) < 2)
            return false;
    }
    if (!fraction && !exponent)
        return !(negative && *whole == '0');
    /* A float: short, as repr writes them, and finite. */
    size_t size = (size_t)(cursor->at - from);
    char copy[32];
    if (size >= sizeof copy)
        return false;
    memcpy(copy, from, size);
    copy[size] = 0;
    return isfinite(strtod(copy, NULL));
}

static bool check_value(Cursor *cursor, int depth) {
    if (cursor->at >= cursor->end || depth > DEEPEST)
        return false;
    Cursor content, last = {NULL, NULL};
    switch (*cursor->at) {
    case 'n': return eat(cursor, "null");
    case 't': return eat(cursor, "true");
    case 'f': return eat(cursor, "false");
    case '"': return check_string(cursor, &content);
    case '[':
        cursor->at++;
        if (depth >= DEEPEST)
            return false;
        if (eat(cursor, "]"))
            return true;
        do
            if (!check_value(cursor, depth + 1))
                return false;
        while (eat(cursor, ","));
        return eat(cursor, "]");
    case '{':
        cursor->at++;
        if (depth >= DEEPEST)
            return false;
        if (eat(cursor, "}"))
            return true;
        do {
            if (!check_string(cursor, &content) || (last.at && !before(last, content)) || !eat(cursor, ":"))
                return false;
            last = content;
            if (!check_value(cursor, depth + 1))
                return false;
        } while (eat(cursor, ","));
        return eat(cursor, "}");
    default: return check_number(cursor);
    }
}

bool json_check(const char *text, size_t size) {
    Cursor cursor = {text, text + size};
    return check_value(&cursor, 0) && cursor.at == cursor.end;
}
