/* duckdb: the calls of DuckDB's C API (duckdb.h, 1.x) that reading Parquet needs. The library is the official one; it comes without its header. */
#ifndef QN_IO_DUCKDB_H
#define QN_IO_DUCKDB_H
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t idx_t;
typedef int duckdb_state;                                   /* 0: success */
typedef struct _duckdb_database *duckdb_database;
typedef struct _duckdb_connection *duckdb_connection;
typedef struct _duckdb_prepared_statement *duckdb_prepared_statement;
typedef struct _duckdb_data_chunk *duckdb_data_chunk;
typedef struct _duckdb_vector *duckdb_vector;
typedef struct _duckdb_config *duckdb_config;
typedef struct { idx_t d1, d2, d3; void *d4; char *d5; void *internal; } duckdb_result;
typedef union { struct { uint32_t n; char prefix[4]; char *p; } pointer; struct { uint32_t n; char bytes[12]; } inlined; } duckdb_string_t;

typedef struct qn_duckdb {
    const char      *(*library_version)(void);
    duckdb_state     (*create_config)(duckdb_config *out);
    duckdb_state     (*set_config)(duckdb_config c, const char *name, const char *value);
    void             (*destroy_config)(duckdb_config *c);
    duckdb_state     (*open_ext)(const char *path, duckdb_database *out, duckdb_config c, char **error);
    void             (*close)(duckdb_database *db);
    duckdb_state     (*connect)(duckdb_database db, duckdb_connection *out);
    void             (*disconnect)(duckdb_connection *c);
    duckdb_state     (*prepare)(duckdb_connection c, const char *sql, duckdb_prepared_statement *out);
    const char      *(*prepare_error)(duckdb_prepared_statement s);
    void             (*destroy_prepare)(duckdb_prepared_statement *s);
    duckdb_state     (*bind_varchar)(duckdb_prepared_statement s, idx_t i, const char *text);
    duckdb_state     (*execute_streaming)(duckdb_prepared_statement s, duckdb_result *out);
    const char      *(*result_error)(duckdb_result *r);
    void             (*destroy_result)(duckdb_result *r);
    idx_t            (*column_count)(duckdb_result *r);
    const char      *(*column_name)(duckdb_result *r, idx_t i);
    duckdb_data_chunk (*fetch_chunk)(duckdb_result r);
    void             (*destroy_data_chunk)(duckdb_data_chunk *c);
    idx_t            (*chunk_size)(duckdb_data_chunk c);
    duckdb_vector    (*chunk_vector)(duckdb_data_chunk c, idx_t i);
    void            *(*vector_data)(duckdb_vector v);
    uint64_t        *(*vector_validity)(duckdb_vector v);
    void             (*free)(void *p);
} qn_duckdb;
#endif
