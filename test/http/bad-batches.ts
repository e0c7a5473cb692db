/** Bodies that are no batch at all, and the single routes' bad requests as items of one. */
import type { CallOptions } from '../support/bank-client.ts';
import { posting } from '../support/customers.ts';
import { BAD_AMOUNTS } from './bad-amounts.ts';
import { BAD_BODIES } from './bad-bodies.ts';
import type { Fixture, Row } from './bad-input-fixture.ts';
import { BROKEN_RULES } from './bad-requests.ts';

const operation = 'postBatch';
const MIB = 1024 * 1024;

const item = ({ account }: Fixture) => ({ type: 'DEPOSIT', ...posting(account, '1.00') });

const raw = (name: string, body: string, code: Row['code'], status: number): Row => ({
  name: `body ${name}`,
  operation,
  request: () => ({ raw: body }),
  status,
  code,
  ...(status === 422 ? { at: 'body ' } : {}),
});

const typed = (type: string): Row => ({
  name: `content type ${type}`,
  operation,
  request: (bank) => ({ body: [item(bank)], headers: { 'content-type': type } }),
  status: 415,
  code: 'unsupported_media_type',
});

const keyed = (name: string, key: string): Row => ({
  name: `key ${name}`,
  operation,
  request: (bank) => ({ body: [item(bank)], headers: { 'idempotency-key': key } }),
  status: 400,
  code: 'invalid_idempotency_key',
});

export const BAD_BATCHES: readonly Row[] = [
  { name: 'no body', operation, request: () => ({}), status: 400, code: 'missing_body' },
  raw('empty', '', 'missing_body', 400),
  raw('null', 'null', 'missing_body', 400),
  raw('cut off', '[{"type":"DEPOSIT"}', 'malformed_json', 400),
  raw('with a comma too many', '[{},]', 'malformed_json', 400),
  raw('of lines', '{}\n{}', 'malformed_json', 400),
  raw('with a key that would reach a prototype', '[{"__proto__":{"amount":1}}]', 'malformed_json', 400),
  raw('object', '{}', 'invalid_type', 422),
  raw('object that looks like an array', '{"0":{},"length":1}', 'invalid_type', 422),
  raw('string', '"text"', 'invalid_type', 422),
  raw('number', '5', 'invalid_type', 422),
  raw('true', 'true', 'invalid_type', 422),
  raw('without items', '[]', 'batch_too_large', 422),
  raw('of one item too many', `[${'5,'.repeat(10_000)}5]`, 'batch_too_large', 422),
  {
    name: 'one item too many, each of them good',
    operation,
    request: (bank) => ({ body: Array.from({ length: 10_001 }, () => item(bank)) }),
    status: 422,
    code: 'batch_too_large',
    at: 'body ',
  },
  {
    name: 'body of five mebibytes',
    operation,
    request: (bank) => ({ body: [{ ...item(bank), description: 'x'.repeat(5 * MIB) }] }),
    status: 413,
    code: 'body_too_large',
  },
  typed('text/plain'),
  typed('application/x-ndjson'),
  keyed('empty', ''),
  keyed('of 300 characters', 'k'.repeat(300)),
];

const ITEM_TYPES: Readonly<Record<string, string>> = {
  deposit: 'DEPOSIT',
  withdrawal: 'WITHDRAWAL',
  transfer: 'TRANSFER',
};

/** A body that could not be read at all would spoil the whole batch. */
const OF_WHOLE_BODIES: readonly number[] = [400, 413, 415];

/** Rows of the single routes whose bodies are objects. */
export const BAD_ITEMS: readonly Row[] = [...BAD_AMOUNTS, ...BAD_BODIES, ...BROKEN_RULES].filter(
  (row) => row.operation in ITEM_TYPES && !OF_WHOLE_BODIES.includes(row.status) && !/^body /.test(row.name),
);

/** The row's request as an item, as literal JSON. */
export function asItem({ operation, request }: Row, bank: Fixture): string {
  const { raw, body, headers }: CallOptions = request(bank);
  if (headers) throw new Error('an item has no headers');
  const text = typeof raw === 'string' ? raw : JSON.stringify(body);
  return `{"type":"${ITEM_TYPES[operation]}",${text.slice(1)}`;
}
