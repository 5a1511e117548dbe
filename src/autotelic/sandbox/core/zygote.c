#define _GNU_SOURCE
#include "zygote.h"

#include "image.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#define FINISHED 0x600D600Du
#define ERROR_ROOM (1u << 18)        /* wire.ERROR_ROOM */
#define CAPACITY ((size_t)24 << 20)  /* of `in` and of `job`: more than the largest frame the engine sends */
#define CHUNK ((size_t)1 << 16)
#define FLUSH_NS 2000000             /* how long an outcome is kept back while there are more programs to run */

enum { DONE, WALL, CPU, SIGNALLED, EXITED, GARBLED }; /* wire */

typedef struct __attribute__((packed)) {
    uint32_t number, code, entry, inputs;
} Program; /* wire.PROGRAM */

typedef struct __attribute__((packed)) {
    uint32_t number;
    uint8_t state, detail, zero[2];
    uint32_t cpu_us, wall_us, peak_kb, results, printed;
} Outcome; /* wire.OUTCOME */

Zygote zygote;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *area(size_t size, int flags) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

int zygote_open(double wall_s, double cpu_s, uint32_t output_kb, uint32_t seed) {
    zygote.wall_s = wall_s;
    zygote.cpu_s = cpu_s;
    zygote.room = output_kb << 10;
    zygote.results = zygote.room + ERROR_ROOM;
    zygote.size = (sizeof(Head) + zygote.results + zygote.room + 4095) & ~(size_t)4095;
    zygote.head = area(zygote.size, MAP_SHARED);
    zygote.job = area(CAPACITY, MAP_PRIVATE);
    zygote.in = area(CAPACITY, MAP_PRIVATE);
    zygote.out = area(zygote.size + 2 * CHUNK, MAP_PRIVATE);
    if (!zygote.head || !zygote.job || !zygote.in || !zygote.out || scratch_open(seed))
        return -1;
    zygote.results_at = (char *)(zygote.head + 1);
    zygote.printed_at = zygote.results_at + zygote.results;
    /* A candidate never sees the programs that wait behind it, nor the outcomes of those before it. */
    return madvise(zygote.in, CAPACITY, MADV_DONTFORK) || madvise(zygote.out, zygote.size + 2 * CHUNK, MADV_DONTFORK);
}

void zygote_confine(void) {
    syscall(SYS_close_range, 3, ~0u, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    struct rlimit none = {0, 0}, cpu = {(rlim_t)zygote.cpu_s + 1, (rlim_t)zygote.cpu_s + 1};
    setrlimit(RLIMIT_NPROC, &none);
    setrlimit(RLIMIT_CPU, &cpu);
}

#define MOST_RANGES 1024

/* What every program touches, as pairs of first byte and size. (Taking the pages that it *writes* ahead of
 * their faults, with MADV_POPULATE_WRITE in the child, was measured and costs more than it saves.) */
typedef struct {
    size_t count, ranges[MOST_RANGES][2];
} Habits;

static Habits habits;

long zygote_rehearse(int proc, const char *code, size_t code_size, const char *inputs, size_t inputs_size) {
    pid_t pid = fork();
    if (pid == 0) {
        Habits *found = (void *)zygote.results_at;
        int pagemap = dup2(openat(proc, "self/pagemap", O_RDONLY), 2); /* where confining leaves it open */
        scratch_begin();
        image_watch();
        zygote_confine();
        candidate_run(code, code_size, "f", 1, inputs, inputs_size);
        bool good = zygote.head->results && zygote.results_at[0] == '=';
        memset(found, 0, sizeof *found);
        if (good && pagemap >= 0)
            found->count = image_touched(pagemap, found->ranges, MOST_RANGES);
        _exit(0);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    memcpy(&habits, zygote.results_at, sizeof habits);
    image_keep_code(habits.ranges, habits.count);
    madvise(zygote.head, zygote.size, MADV_REMOVE);
    long pages = 0;
    for (size_t index = 0; index < habits.count; index++)
        pages += (long)(habits.ranges[index][1] / 4096);
    return pages;
}

/* CPU seconds of a process by its clock (clock_getcpuclockid(3)); 0 if it has just ended. */
static double used_s(pid_t pid) {
    struct timespec t;
    if (clock_gettime((clockid_t)((~(unsigned)pid) << 3 | 2), &t))
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until the process is dead, by itself or at a deadline. */
static int await_end(pid_t pid, int pidfd, int64_t start) {
    struct pollfd watched = {pidfd, POLLIN, 0};
    for (double spent = 0;; spent = (double)(now_ns() - start) / 1e9) {
        /* One thread: never more CPU than wall time. */
        double used = spent < zygote.cpu_s ? spent : used_s(pid);
        int over = spent >= zygote.wall_s ? WALL : used >= zygote.cpu_s ? CPU : DONE;
        if (over && poll(&watched, 1, 0) <= 0) {
            syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
            return over;
        }
        double left = zygote.wall_s - spent, cpu_left = zygote.cpu_s - used;
        if (cpu_left < left)
            left = cpu_left > 0.001 ? cpu_left : 0.001;
        if (over || poll(&watched, 1, (int)(left * 1000) + 1) > 0)
            return DONE;
    }
}

static int write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

static uint32_t clipped(double value) { return value < 0 ? 0 : value > 4e9 ? 4000000000u : (uint32_t)value; }

/* Read the page of a dead candidate into a frame behind `out`, and wipe it. */
static void collect(Outcome *outcome, int status) {
    Head head = *zygote.head;
    if (outcome->state == DONE && WIFSIGNALED(status)) {
        outcome->state = SIGNALLED;
        outcome->detail = (uint8_t)WTERMSIG(status);
    } else if (outcome->state == DONE && head.finished != FINISHED) {
        outcome->state = EXITED;
        outcome->detail = (uint8_t)WEXITSTATUS(status);
    }
    outcome->results = head.results < zygote.results ? head.results : zygote.results;
    outcome->printed = head.printed < zygote.room ? head.printed : zygote.room;
    char *body = zygote.out + zygote.out_used + sizeof *outcome;
    memcpy(body, zygote.results_at, outcome->results);
    if (!report_check(body, outcome->results)) {
        outcome->state = GARBLED;
        outcome->results = 0;
    }
    memcpy(body + outcome->results, zygote.printed_at, outcome->printed);
    memcpy(body - sizeof *outcome, outcome, sizeof *outcome);
    zygote.out_used += sizeof *outcome + outcome->results + outcome->printed;
    madvise(zygote.head, zygote.size, MADV_REMOVE); /* nothing of this program is there for the next */
}

static int run_program(const Program *program) {
    const char *code = zygote.job, *entry = code + program->code, *inputs = entry + program->entry;
    int64_t start = now_ns();
    int pidfd = -1;
    long pid = syscall(SYS_clone, (long)(CLONE_PIDFD | SIGCHLD), 0L, &pidfd, 0L, 0L);
    if (pid == 0)
        candidate(code, program->code, entry, program->entry, inputs, program->inputs);
    if (pid < 0)
        return -1;
    Outcome outcome = {.number = program->number};
    outcome.state = (uint8_t)await_end((pid_t)pid, pidfd, start);
    struct rusage used = {0};
    int status = 0;
    while (wait4((pid_t)pid, &status, 0, &used) < 0 && errno == EINTR)
        ;
    close(pidfd);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6;
    outcome.cpu_us = clipped(cpu + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
    outcome.wall_us = clipped((double)(now_ns() - start) / 1e3);
    outcome.peak_kb = (uint32_t)used.ru_maxrss;
    collect(&outcome, status);
    return 0;
}

/* Move the first frame out of `in` to `job`, leaving nothing of the program that was there before. */
static void take(size_t used, size_t size) {
    memcpy(zygote.job, zygote.in + used + sizeof(Program), size);
    if (zygote.job_used > size + (CHUNK << 2))
        madvise(zygote.job + ((size + 4095) & ~(size_t)4095), CAPACITY - ((size + 4095) & ~(size_t)4095), MADV_DONTNEED);
    if (zygote.job_used > size)
        memset(zygote.job + size, 0, zygote.job_used - size);
    zygote.job_used = size;
}

int zygote_serve(int reader, int writer) {
    size_t used = 0; /* bytes of `in` that were taken */
    int64_t flushed = now_ns();
    PyGC_Collect(); /* empties the lists of free objects, which lie on pages all over */
    scratch_begin();
    image_renew();
    image_warm(habits.ranges, habits.count);
    for (;;) {
        Program program;
        size_t there = zygote.in_used - used, size = 0;
        if (there >= sizeof program) {
            memcpy(&program, zygote.in + used, sizeof program);
            size = (size_t)program.code + program.entry + program.inputs;
            if (size > CAPACITY - sizeof program - CHUNK)
                return -1;
        }
        if (there >= sizeof program + size && there >= sizeof program) {
            if (zygote.out_used && (zygote.out_used > CHUNK || now_ns() - flushed > FLUSH_NS)) {
                if (write_all(writer, zygote.out, zygote.out_used))
                    return 0;
                zygote.out_used = 0;
                flushed = now_ns();
            }
            take(used, size);
            used += sizeof program + size;
            if (run_program(&program))
                return -1;
            continue;
        }
        if (zygote.out_used && write_all(writer, zygote.out, zygote.out_used))
            return 0;
        zygote.out_used = 0;
        memmove(zygote.in, zygote.in + used, there);
        zygote.in_used = there;
        used = 0;
        ssize_t got = read(reader, zygote.in + there, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        zygote.in_used += (size_t)got;
        flushed = now_ns();
    }
}
