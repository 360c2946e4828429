/*
 * The two libraries of an NVIDIA driver in one, for a machine without a GPU: CUDA shows boards B and A and a slice of
 * A, in this order; NVML knows them by UUID. What it answers is fixed, but for the functions that begin with fake_.
 */
#include <string.h>

enum { SUCCESS, NOT_SUPPORTED = 3, NOT_FOUND = 6, TIMEOUT = 10, GPU_IS_LOST = 15 };

struct gpu {
    const char *uuid;
    struct gpu *board;
    unsigned int utilization, temperature, milliwatts;
    unsigned long long total, used, corrected, uncorrected;
    int watched;
};

static struct gpu a = {"GPU-00000000-0000-0000-0000-00000000000a", 0, 20, 41, 0, 4000, 1000, 0, 0, 0};
static struct gpu b = {"GPU-00000000-0000-0000-0000-00000000000b", 0, 75, 63, 250500, 80000, 3000, 7, 1, 0};
static struct gpu slice = {"MIG-00000000-0000-0000-0000-00000000000c", &a, 0, 0, 0, 500, 100, 0, 0, 0};
static struct gpu *gpus[] = {&b, &a, &slice};

static int cuda_answer, lost, events;
static struct { struct gpu *device; unsigned long long type, data; } queue[8];

void fake_cuda(int answer) { cuda_answer = answer; }
void fake_lost(int is_lost) { lost = is_lost; }
void fake_event(int board, unsigned long long type, unsigned long long data) {
    struct gpu *gpu = board == 'a' ? &a : &b;
    if (gpu->watched) {
        queue[events].device = gpu;
        queue[events].type = type;
        queue[events++].data = data;
    }
}

int cuInit(unsigned int flags) { return flags ? 1 : cuda_answer; }
int cuDeviceGetCount(int *count) { *count = 3; return SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal + 100; return SUCCESS; }
int cuDeviceGetUuid_v2(char *uuid, int device) {
    memset(uuid, 0, 16);
    uuid[15] = "\x0b\x0a\x0c"[device - 100];
    return SUCCESS;
}

int nvmlInit_v2(void) { return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
int nvmlDeviceGetHandleByUUID(const char *uuid, struct gpu **gpu) {
    for (int i = 0; i < 3; i++) {
        if (strcmp(uuid, gpus[i]->uuid) == 0) {
            *gpu = gpus[i];
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}
int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(struct gpu *gpu, struct gpu **board) {
    *board = gpu->board;
    return gpu->board ? SUCCESS : NOT_SUPPORTED;
}

static int answer(const struct gpu *gpu, int supported) {
    return lost ? GPU_IS_LOST : supported && gpu ? SUCCESS : NOT_SUPPORTED;
}
int nvmlDeviceGetUtilizationRates(struct gpu *gpu, unsigned int *rates) {
    rates[0] = gpu->utilization;
    rates[1] = 99;
    return answer(gpu, !gpu->board);
}
int nvmlDeviceGetMemoryInfo(struct gpu *gpu, unsigned long long *memory) {
    memory[0] = gpu->total;
    memory[1] = gpu->total - gpu->used;
    memory[2] = gpu->used;
    return answer(gpu, 1);
}
int nvmlDeviceGetTemperature(struct gpu *gpu, int sensor, unsigned int *celsius) {
    *celsius = gpu->temperature;
    return answer(gpu, sensor == 0 && !gpu->board);
}
int nvmlDeviceGetPowerUsage(struct gpu *gpu, unsigned int *milliwatts) {
    *milliwatts = gpu->milliwatts;
    return answer(gpu, gpu == &b);
}
int nvmlDeviceGetTotalEccErrors(struct gpu *gpu, int type, int counter, unsigned long long *count) {
    *count = type == 0 ? gpu->corrected : gpu->uncorrected;
    return answer(gpu, gpu == &b && counter == 0);
}

int nvmlEventSetCreate(void **set) { *set = queue; return SUCCESS; }
int nvmlEventSetFree(void *set) { return set == queue ? SUCCESS : NOT_FOUND; }
int nvmlDeviceRegisterEvents(struct gpu *gpu, unsigned long long types, void *set) {
    gpu->watched = types == 8 && set == queue;
    return SUCCESS;
}
int nvmlEventSetWait_v2(void *set, void *event, unsigned int milliseconds) {
    if (set != queue || events == 0 || milliseconds != 0) {
        return TIMEOUT;
    }
    memcpy(event, &queue[--events], sizeof queue[0]);
    return SUCCESS;
}
