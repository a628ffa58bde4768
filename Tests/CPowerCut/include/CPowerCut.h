#ifndef CPOWERCUT_H
#define CPOWERCUT_H

#include <stdint.h>

/// A VFS that keeps, for each file below a watched folder, what a disk would still hold after a power cut: what was
/// synced, and at will some of what was not. Files elsewhere are passed on to the operating system untouched.
#define POWER_CUT_VFS "reactord-power-cut"

/// Registers the VFS, without making it the default. Answers an SQLite result code.
int power_cut_install(void);

/// From now on the files below this folder are shadowed. Their syncs are kept from the real disk.
void power_cut_watch(const char *folder);
void power_cut_unwatch(const char *folder);

/// How long each sync of a file below the folder takes, and whether it fails.
void power_cut_disk(const char *folder, int64_t sync_microseconds, int sync_fails);

/// The next sync of a database (a file `….sqlite`) below the folder fails, and what it was to put on disk never gets
/// there, though later syncs succeed: so Linux has it with a disk that could not write.
void power_cut_lose(const char *folder);

/// While on, no sync of a file below the folder ends.
void power_cut_hold(const char *folder, int holds);

/// How often files below the folder were written, cut or synced so far.
int64_t power_cut_operations(const char *folder);

/// Called on the thread whose operation was the one: first with 0 before the copy is made, then with 1 when it is
/// there.
typedef void (*power_cut_event)(void *context, int is_done);

/// Cuts the power in the midst of the `after`-th operation from now: what a disk would hold is written to `target`.
///
/// @param keeps_some 0: nothing that was not synced. 1: a seeded choice of it, down to single sectors of 512 bytes.
void power_cut_arm(
    const char *folder, int64_t after, uint64_t seed, int keeps_some, const char *target, power_cut_event event,
    void *context);

#endif
