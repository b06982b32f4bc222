import type { CreateTableBuilder, SchemaModule } from 'kysely';

// biome-ignore lint/suspicious/noExplicitAny: any table, whatever its columns so far
export type Table = CreateTableBuilder<any, any>;

const add = (type: 'text' | 'bigint' | 'integer', isRequired: boolean) => (builder: Table, columns: string[]) =>
  columns.reduce((table, column) => table.addColumn(column, type, (c) => (isRequired ? c.notNull() : c)), builder);

/** What the tables of a tenant are made of. */
export const tableParts = (schema: SchemaModule) => ({
  ofTenant: (table: string): Table =>
    schema
      .createTable(table)
      .addColumn('tenant_id', 'text', (c) => c.notNull().references('tenants.id').onDelete('cascade')),
  text: (builder: Table, ...columns: string[]): Table => add('text', true)(builder, columns),
  maybeText: (builder: Table, ...columns: string[]): Table => add('text', false)(builder, columns),
  times: (builder: Table, ...columns: string[]): Table => add('bigint', true)(builder, columns),
  flags: (builder: Table, ...columns: string[]): Table => add('integer', true)(builder, columns),
  /** `column` names a row of `table`; with that row this one goes. */
  owned: (builder: Table, name: string, column: string, table: string): Table =>
    builder.addForeignKeyConstraint(name, ['tenant_id', column], table, ['tenant_id', 'id'], (c) =>
      c.onDelete('cascade'),
    ),
  index: (name: string, table: string, columns: string[]): Promise<void> =>
    schema.createIndex(name).on(table).columns(columns).execute(),
});
