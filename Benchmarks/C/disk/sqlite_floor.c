// Rows per second of plain SQLite: one connection, WAL, synchronous=FULL, one prepared INSERT, N rows per commit.
//   sqlite_floor FOLDER SECONDS ROWS_PER_COMMIT BYTES
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static sqlite3 *database;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run(const char *sql) {
    char *problem = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &problem) == SQLITE_OK) return;
    fprintf(stderr, "sqlite_floor: %s: %s\n", sql, problem);
    exit(1);
}

static void step(sqlite3_stmt *statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) {
        fprintf(stderr, "sqlite_floor: %s\n", sqlite3_errmsg(database));
        exit(1);
    }
    sqlite3_reset(statement);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "sqlite_floor: %s: %s\n", sql, sqlite3_errmsg(database));
        exit(1);
    }
    return statement;
}

int main(int count, char **arguments) {
    if (count != 5) {
        fputs("usage: sqlite_floor FOLDER SECONDS ROWS_PER_COMMIT BYTES\n", stderr);
        return 2;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/floor-%d.sqlite", arguments[1], (int)getpid());
    double seconds = atof(arguments[2]);
    int rows = atoi(arguments[3]), bytes = atoi(arguments[4]);
    if (sqlite3_open(path, &database) != SQLITE_OK) {
        fprintf(stderr, "sqlite_floor: %s cannot be opened\n", path);
        return 1;
    }
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA cache_size = -65536");
    run("PRAGMA temp_store = MEMORY");
    run("CREATE TABLE message (sequence INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, received INTEGER NOT NULL,"
        " body BLOB NOT NULL) STRICT");
    sqlite3_stmt *begin = prepare("BEGIN IMMEDIATE"), *commit = prepare("COMMIT");
    sqlite3_stmt *insert = prepare("INSERT INTO message (mailbox, received, body) VALUES (?, ?, ?)");
    char *body = malloc((size_t)bytes);
    memset(body, 'x', (size_t)bytes);
    long written = 0;
    double start = now(), end = start;
    while (end - start < seconds) {
        step(begin);
        for (int row = 0; row < rows; row++) {
            sqlite3_bind_int64(insert, 1, (written + row) % 100);
            sqlite3_bind_int64(insert, 2, written + row);
            sqlite3_bind_blob(insert, 3, body, bytes, SQLITE_STATIC);
            step(insert);
        }
        step(commit);
        written += rows;
        end = now();
    }
    printf("%.1f\n", (double)written / (end - start));
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
    sqlite3_close(database);
    for (int index = 0; index < 3; index++) {
        char file[4200];
        snprintf(file, sizeof file, "%s%s", path, (const char *[]){"", "-wal", "-shm"}[index]);
        unlink(file);
    }
    return 0;
}
