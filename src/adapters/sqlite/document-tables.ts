/** The SQL of the tables that hold documents: one for each build, and for each version that has none. */
import type { Collection } from '../../event-sourcing/read-model-store.ts';
import { tableOf } from './read-model-reader.ts';

/** Without the indexes that lists go by. */
export function tableSql(collection: Collection): string {
  const columns = [
    ...textFields(collection).map((field) => `, ${field} TEXT`),
    ...numberFields(collection).map((field) => `, ${field} INTEGER`),
  ].join('');
  return `CREATE TABLE IF NOT EXISTS ${tableOf(collection)} (
      key TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL, position INTEGER NOT NULL,
      document TEXT, blocked INTEGER NOT NULL${columns}
    )`;
}

/** Lists go by `sequence`, alone or after an equality; documents of one event are few, and sorted by key as they come. */
export function indexSql(collection: Collection): string {
  const table = tableOf(collection);
  const paths = collection.indexes.map((field) => [`by_${field}`, `${field}, sequence`]);
  if (collection.listed) paths.push(['by_sequence', 'sequence']);
  for (const { by, within } of collection.rankings ?? [])
    paths.push([`ranked_by_${by}`, `${within}, ${by}, key`]);
  const indexes = paths.map(
    ([name, fields]) => `CREATE INDEX IF NOT EXISTS ${table}_${name} ON ${table} (${fields});`,
  );
  return indexes.join('\n');
}

/** Replaces a document whose indexed fields stay as they are; `?4` and so on are their values. */
export function updateSql(collection: Collection): string {
  const columns = columnsOf(collection);
  const same = columns.map((field, index) => ` AND ${field} IS ?${index + 4}`).join('');
  const key = columns.length + 4;
  return `UPDATE ${tableOf(collection)} SET position = ?1, document = ?2, blocked = ?3
    WHERE key = ?${key} AND position < ?${key + 1}${same}`;
}

/** Inserts a document, or replaces an older one. */
export function upsertSql(collection: Collection): string {
  const columns = ['sequence', 'position', 'document', 'blocked', ...columnsOf(collection)];
  const updates = columns
    .filter((column) => column !== 'sequence')
    .map((column) => `${column} = excluded.${column}`)
    .join(', ');
  return `INSERT INTO ${tableOf(collection)} (key, ${columns.join(', ')})
    VALUES (?${', ?'.repeat(columns.length)})
    ON CONFLICT (key) DO UPDATE SET ${updates} WHERE excluded.position > position`;
}

/** The fields of documents that have columns of their own, the texts first. */
export function columnsOf(collection: Collection): string[] {
  return [...textFields(collection), ...numberFields(collection)];
}

function textFields({ indexes, rankings = [] }: Collection): string[] {
  return [...new Set([...indexes, ...rankings.map(({ within }) => within)])];
}

function numberFields({ rankings = [] }: Collection): string[] {
  return rankings.map(({ by }) => by);
}
