/* One pass over a slice without the interpreter lock: mean or tent, value map, PNG row filter.
 *
 * The result is numpy's to the bit. grid/reduce.py, values/value_maps.py and formats/png.py hold
 * the same in numpy, which is used where this file was not compiled; tests hold the two together.
 * Floating point is added tap by tap as there: no option may reorder or contract it. Rows go from
 * stage to stage in cached buffers, by loops made for vectors. Limited API of CPython 3.11 on. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <float.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0 || defined(WORDS_BIGENDIAN)
#error "left to numpy: floats are kept wider than they are stored, or bytes lie the other way"
#endif
#ifndef CLONES /* the build says it where the loader can choose an instruction set */
#define CLONES
#endif
#ifdef __GNUC__ /* within a clone, so that it has the instruction set of that */
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif
#define EACH(i, count) for (Py_ssize_t i = 0; i < (count); i++)
typedef Py_ssize_t Size;
enum { NONE = 0, UP = 2, AVERAGE = 3, LANES = 8, CHUNK = 256, LARGEST = 1 << 24, AREA = 1 << 14 };

/* From ``length`` samples to ``size``: blocks of ``by``, or where that is 0 tents of ``taps``. */
typedef struct {
    Size length, size, by, taps;
    const int32_t *samples;
    const double *weights;
} Axis;

typedef struct {
    const char *plane;
    uint8_t *out;
    Size stride; /* bytes from row to row */
    Axis rows, columns;
    char type, map;
    int bits, filter;
    double gain, bias;
} Job;

/* Rows are added up as integers, or weighed as doubles into ``count`` sums from column x on. */
#define OF_TYPE(T, NAME)                                                                           \
    INLINE void add_##NAME(int32_t *restrict sums, const void *row, Size count, int first) {       \
        const T *restrict from = row;                                                              \
        if (first) EACH(i, count) sums[i] = from[i];                                               \
        else EACH(i, count) sums[i] += from[i];                                                    \
    }                                                                                              \
    INLINE void weigh_##NAME(double *restrict sums, const Job *job, Size y, Size x, Size count) {  \
        const Axis *rows = &job->rows;                                                             \
        for (Size first = y * rows->taps, tap = first; tap < first + rows->taps; tap++) {          \
            const double weight = rows->weights[tap];                                              \
            const T *restrict from = (const void *)(job->plane + rows->samples[tap] * job->stride);\
            if (tap == first) EACH(i, count) sums[i] = (double)from[x + i] * weight;               \
            else if (weight != 0) EACH(i, count) sums[i] += (double)from[x + i] * weight;          \
        }                                                                                          \
    }
OF_TYPE(uint8_t, B)
OF_TYPE(int8_t, b)
OF_TYPE(uint16_t, H)
OF_TYPE(int16_t, h)
#define BY_TYPE(WORK, ...) {                                                                       \
        if (job->type == 'B') WORK##_B(__VA_ARGS__);                                               \
        else if (job->type == 'b') WORK##_b(__VA_ARGS__);                                          \
        else if (job->type == 'H') WORK##_H(__VA_ARGS__);                                          \
        else WORK##_h(__VA_ARGS__);                                                                \
    }

INLINE void sum_neighbours(int32_t *restrict to, const int32_t *from, Size count, Size by) {
    EACH(x, count) {
        to[x] = from[x * by];
        for (Size i = 1; i < by; i++) to[x] += from[x * by + i];
    }
}

/* A row of block means, rounded half up. */
INLINE void mean_row(const Job *job, Size y, int32_t *restrict sums, int32_t *restrict row) {
    const Size count = job->columns.size, by = job->columns.by, high = job->rows.by;
    const int32_t area = (int32_t)(high * by), lift = area * 32768 + area / 2; /* above 0 then */
    EACH(i, high)
        BY_TYPE(add, by > 1 ? sums : row, job->plane + (y * high + i) * job->stride, count * by, !i)
    if (by == 2) sum_neighbours(row, sums, count, 2); /* constants, of which vectors are made */
    else if (by == 4) sum_neighbours(row, sums, count, 4);
    else if (by > 1) sum_neighbours(row, sums, count, by);
    if (area == 4) EACH(x, count) row[x] = (int32_t)((uint32_t)(row[x] + lift) >> 2) - 32768;
    else if (area > 1) /* such a quotient is a whole number or far from it, as doubles go */
        EACH(x, count) row[x] = (int32_t)((double)(row[x] + lift) / area) - 32768;
}

/* LANES rows side by side, and row by row again: groups of which compilers make shuffles. */
#define LANE_BY_LANE(DO) EACH(i, CHUNK) { DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) }
#define GATHERED(lane) to[i * LANES + lane] = from[lane * CHUNK + i];
#define SPREAD(lane) to[lane * stride + i] = from[i * LANES + lane];
INLINE void gather(double *restrict to, const double *from) { LANE_BY_LANE(GATHERED) }
INLINE void spread(int32_t *restrict to, const int32_t *from, Size stride) { LANE_BY_LANE(SPREAD) }

/* LANES rows of tents: block[x][lane] is weighed, then to[lane][x]. Both have room for a CHUNK. */
INLINE void tent_rows(const Job *job, Size y, double *restrict block, int32_t *to, Size stride) {
    const Axis *columns = &job->columns;
    const double lowest = job->type == 'b' ? -128 : job->type == 'h' ? -32768 : 0;
    const double highest = lowest + (job->type == 'B' || job->type == 'b' ? 255 : 65535);
    double sums[LANES * CHUNK] = {0};
    int32_t rounded[LANES * CHUNK];
    for (Size x = 0; x < columns->length; x += CHUNK) {
        const Size some = columns->length - x < CHUNK ? columns->length - x : CHUNK;
        EACH(lane, LANES) {
            const Size row = y + lane < job->rows.size ? y + lane : y;
            if (some == CHUNK) BY_TYPE(weigh, sums + lane * CHUNK, job, row, x, CHUNK)
            else BY_TYPE(weigh, sums + lane * CHUNK, job, row, x, some)
        }
        gather(block + x * LANES, sums);
    }
    for (Size x = 0; x < columns->size; x += CHUNK) {
        const Size some = columns->size - x < CHUNK ? columns->size - x : CHUNK;
        EACH(i, some) {
            double sum[LANES] = {0};
            for (Size tap = (x + i) * columns->taps; tap < (x + i + 1) * columns->taps; tap++) {
                const double *from = block + (Size)columns->samples[tap] * LANES;
                EACH(lane, LANES) sum[lane] += from[lane] * columns->weights[tap];
            }
            EACH(lane, LANES) sums[i * LANES + lane] = sum[lane];
        }
        EACH(i, CHUNK * LANES) { /* rounded half up; what is no number is the lowest */
            double value = sums[i] + 0.5 > lowest ? sums[i] + 0.5 : lowest;
            value = value < highest ? value : highest;
            rounded[i] = (int32_t)value - ((double)(int32_t)value > value);
        }
        spread(to + x, rounded, stride);
    }
}

/* PNG values of a row: integers modulo 2^bits, or clipped and rounded down. */
#define MAP_INTEGERS(TO) {                                                                         \
        const int32_t sign = (int32_t)job->gain, offset = (int32_t)job->bias;                      \
        TO *restrict to = (void *)png;                                                             \
        EACH(x, job->columns.size) to[x] = (TO)(sign * row[x] + offset);                           \
    }
#define MAP(FLOAT, TO) {                                                                           \
        const FLOAT gain = (FLOAT)job->gain, bias = (FLOAT)job->bias, top = (TO)-1 + (FLOAT)0.5;   \
        TO *restrict to = (void *)png;                                                             \
        EACH(x, job->columns.size) {                                                               \
            FLOAT value = (FLOAT)row[x] * gain;                                                    \
            value += bias;                                                                         \
            value = value > 0 ? value : 0;                                                         \
            to[x] = (TO)(int32_t)(value < top ? value : top);                                      \
        }                                                                                          \
    }
INLINE void map_row(const Job *job, const int32_t *restrict row, uint8_t *restrict png) {
    switch (job->map << 8 | job->bits) {
    case 's' << 8 | 8: MAP_INTEGERS(uint8_t) break;
    case 's' << 8 | 16: MAP_INTEGERS(uint16_t) break;
    case 'f' << 8 | 8: MAP(float, uint8_t) break;
    case 'd' << 8 | 8: MAP(double, uint8_t) break;
    default: MAP(double, uint16_t)
    }
}

/* A row behind its filter type, big endian; zeros lie before it and the one above. */
INLINE void filter_row(const Job *job, uint8_t *restrict row, const uint8_t *above, uint8_t *line) {
    const Size pixel = job->bits / 8, count = job->columns.size * pixel;
    uint16_t *words = (void *)row;
    if (pixel == 2) EACH(x, job->columns.size) words[x] = (uint16_t)(words[x] << 8 | words[x] >> 8);
    *line++ = (uint8_t)job->filter;
    if (job->filter == UP) EACH(i, count) line[i] = (uint8_t)(row[i] - above[i]);
    else EACH(i, count) line[i] = (uint8_t)(row[i] - ((row[i - pixel] + above[i]) >> 1));
}

/* The whole slice; 0 where there is no memory. */
CLONES static int make(const Job *job) {
    const Size size = job->columns.size, bytes = size * job->bits / 8, zeros = 16;
    const Size stride = size + CHUNK, length = job->columns.length + CHUNK;
    const int tents = job->rows.by == 0;
    void *memory = calloc((size_t)length, (tents ? LANES : 1) * sizeof(double));
    int32_t *reduced = malloc((size_t)stride * LANES * sizeof *reduced);
    uint8_t *pngs = calloc(2, (size_t)(zeros + bytes)), *out = job->out;
    EACH(y, memory && reduced && pngs ? job->rows.size : 0) {
        uint8_t *row = pngs + zeros + y % 2 * (zeros + bytes);
        const uint8_t *above = pngs + zeros + (y + 1) % 2 * (zeros + bytes);
        if (!tents) mean_row(job, y, memory, reduced);
        else if (y % LANES == 0) tent_rows(job, y, memory, reduced, stride);
        map_row(job, reduced + (tents ? y % LANES * stride : 0), job->filter ? row : out);
        if (job->filter) filter_row(job, row, above, out++);
        out += bytes;
    }
    free(memory), free(reduced), free(pngs);
    return out != job->out; /* there is a row at least */
}

/* Fills an axis; ``taps`` above 0 is a block, below 0 tents. 0 where it does not fit. */
static int axis_fits(Axis *axis, Size taps, const Py_buffer *samples, const Py_buffer *weights) {
    if (axis->length < 1 || axis->length > LARGEST || taps <= -LARGEST || taps >= AREA) return 0;
    axis->by = taps > 0 ? taps : 0, axis->size = taps > 0 ? axis->length / taps : 0;
    if (taps >= 0) return axis->size > 0 && axis->length % taps == 0;
    axis->taps = -taps, axis->samples = samples->buf, axis->weights = weights->buf;
    axis->size = samples->len / (4 * axis->taps);
    if (samples->len % (4 * axis->taps) || weights->len % 8) return 0;
    if (samples->len / 4 != weights->len / 8 || axis->size < 1 || axis->size > LARGEST) return 0;
    EACH(i, samples->len / 4)
        if (axis->samples[i] < 0 || axis->samples[i] >= axis->length) return 0;
    return ((uintptr_t)samples->buf % 4 | (uintptr_t)weights->buf % 8) == 0;
}

static int fits(Job *job, const Py_buffer *plane, const Py_buffer *all, Size high, Size wide) {
    const char *type = plane->format + (*plane->format == '<');
    if (plane->ndim != 2 || strlen(type) != 1 || !strchr("BbHh", *type)) return 0;
    if (plane->strides[1] != plane->itemsize || plane->strides[0] % plane->itemsize) return 0;
    if ((uintptr_t)plane->buf % (size_t)plane->itemsize || (uintptr_t)all->buf % 2) return 0;
    job->plane = plane->buf, job->out = all->buf, job->stride = plane->strides[0];
    job->type = *type, job->rows.length = plane->shape[0], job->columns.length = plane->shape[1];
    if (!axis_fits(&job->rows, high, all + 1, all + 2)) return 0;
    if (!axis_fits(&job->columns, wide, all + 3, all + 4)) return 0;
    if ((high < 0) != (wide < 0) || (high > 0 && high * wide >= AREA)) return 0;
    if (job->bits != 8 && (job->bits != 16 || job->map == 'f')) return 0;
    if (job->filter != NONE && job->filter != UP && job->filter != AVERAGE) return 0;
    if (job->map == 's' && !(job->gain * job->gain == 1 && job->bias * job->bias < 1e10)) return 0;
    const Size line = job->columns.size * job->bits / 8 + (job->filter != NONE);
    return all->len % line == 0 && all->len / line == job->rows.size;
}

static PyObject *render(PyObject *Py_UNUSED(module), PyObject *arguments) {
    Job job = {0};
    PyObject *given;
    Py_buffer plane = {0}, all[5]; /* all: the output, samples and weights of rows and of columns */
    Size high, wide;
    int map, made = 0;
    if (!PyArg_ParseTuple(arguments, "Ow*ny*y*ny*y*Cddii", &given, all, &high, all + 1, all + 2,
                          &wide, all + 3, all + 4, &map, &job.gain, &job.bias, &job.bits,
                          &job.filter)) return NULL;
    job.map = (char)map;
    if (!PyObject_GetBuffer(given, &plane, PyBUF_RECORDS_RO)) {
        if (fits(&job, &plane, all, high, wide)) {
            Py_BEGIN_ALLOW_THREADS
            made = make(&job);
            Py_END_ALLOW_THREADS
            if (!made) PyErr_NoMemory();
        } else PyErr_SetString(PyExc_ValueError, "the kernel does not take these sizes or types");
    }
    PyBuffer_Release(&plane);
    EACH(i, 5) PyBuffer_Release(all + i);
    return made ? Py_NewRef(Py_None) : NULL;
}

static PyMethodDef methods[] = {{"render", render, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_methods = methods};
PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&module); }
