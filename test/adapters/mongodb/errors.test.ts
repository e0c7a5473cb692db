/** What the driver and the server throw, in the ports' words. */
import {
  type Collection,
  MongoBulkWriteError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoServerError,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../../src/adapters/mongodb/document-format.ts';
import { writeBulk } from '../../../src/adapters/mongodb/document-writer.ts';
import { toStoreError } from '../../../src/adapters/mongodb/errors.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';

const NAME = 'MongoDB at db.example:27017/openbank';

describe('an error of MongoDB', () => {
  it.each<[number, string, string, string]>([
    [18, 'Authentication failed.', 'access_denied', 'refuses these credentials'],
    [13, 'not authorized on openbank', 'access_denied', 'does not let these credentials do it'],
    [14031, 'available disk space is too low', 'disk_full', 'its disk is full'],
    [64, 'waiting for replication timed out', 'unavailable', 'majority of its members in time'],
    [100, 'Not enough data-bearing nodes', 'unavailable', 'too few members'],
    [148, 'Majority read concern requested', 'unsupported', 'majority reads switched off'],
    [59, 'no such command', 'unsupported', 'lacks something'],
    [91, 'The server is in quiesce mode', 'unavailable', 'failed'],
    [10107, 'not primary', 'unavailable', 'failed'],
    [1, 'pwrite: No space left on device', 'disk_full', 'its disk is full'],
  ])('with the code %i (%s) is %s', (code, message, expected, words) => {
    const found = toStoreError(NAME, new MongoServerError({ code, message }));
    expect(found.code).toBe(expected);
    expect(found.message).toContain(NAME);
    expect(found.message).toContain(words);
    expect(found.message).toContain(message);
  });

  it('is told by its causes too', () => {
    const cause = new MongoServerError({ code: 18, message: 'Authentication failed.' });
    const found = toStoreError(NAME, new MongoNetworkError('handshake failed', { cause }));
    expect(found.code).toBe('access_denied');
  });

  it('of a call that can never work is invalid_request, and one that is a StoreError stays so', () => {
    expect(toStoreError(NAME, new MongoInvalidArgumentError('too large')).code).toBe('invalid_request');
    const closed = new StoreError('closed', 'was closed');
    expect(toStoreError(NAME, closed)).toBe(closed);
    expect(toStoreError(NAME, 'odd')).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('odd'),
    });
  });
});

describe('a bulk write', () => {
  /** A collection whose bulk write ends with these errors. */
  function ending(codes: readonly number[], writeConcern?: number): Collection<Row> {
    const writeErrors = codes.map((code, index) => ({ index: index * 2, code, errmsg: 'x' }));
    const result = { getWriteConcernError: () => (writeConcern ? { code: writeConcern } : undefined) };
    const bulkWrite = async () => {
      throw new MongoBulkWriteError(
        { message: 'x', code: codes[0] ?? writeConcern ?? 0, writeErrors } as never,
        result as never,
      );
    };
    return { bulkWrite } as unknown as Collection<Row>;
  }

  it('tells which keys were taken', async () => {
    expect(await writeBulk(ending([11_000, 11_000]), [])).toEqual([0, 2]);
  });

  it.each<[string, readonly number[], number | undefined]>([
    ['something else failed as well', [11_000, 14_031], undefined],
    ['no majority confirmed it, whatever keys were taken', [11_000], 64],
    ['no majority confirmed it', [], 64],
  ])('fails when %s', async (_, codes, writeConcern) => {
    await expect(writeBulk(ending(codes, writeConcern), [])).rejects.toBeInstanceOf(MongoBulkWriteError);
  });
});
