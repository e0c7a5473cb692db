/** `rewrite` at a terminal: from an embedded store, over an export and a function in a file, into another store. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { collect, mustAppend, newEvent } from '../support/event-builders.ts';
import { cliOn } from './in-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const STREAM = 'bank-account-1';
const OLD = { type: 'BankAccountCreatedDomainEventV1', data: { owner_id: 'p-1', overdraft_limit: '10' } };
const NEW = {
  type: 'BankAccountCreatedDomainEventV2',
  data: { owner_id: 'p-1', overdraft_limit: '10.00', account_type: 'CHECKING', currency: 'USD' },
};
const REPLACING = `export default (event) => (event.type === '${OLD.type}' ? ${JSON.stringify(NEW)} : event);`;

let root: string;
const at = (...names: string[]) => join(root, ...names);
/** Runs a command over the store in `bank`, where nothing listens. */
const cli = (bank: string, ...args: string[]) => cliOn('http://127.0.0.1:9', at(bank))(...args);

function moduleOf(source: string): string {
  writeFileSync(at('function.mjs'), source);
  return at('function.mjs');
}

beforeEach(async () => {
  root = temporaryDirectory();
  const store = openSqliteEventStore({ kind: 'file', path: at('old', 'events.db') });
  await mustAppend(store, STREAM, [newEvent(OLD)], 'no_stream');
  await store.close();
  expect(await cli('old', 'export', at('export'))).toMatchObject({ code: 0 });
});

describe('rewrite', () => {
  it('only reports in a dry run', async () => {
    const args = ['rewrite', at('export'), at('other'), '--with', moduleOf(REPLACING), '--dry-run'];
    const { code, stdout } = await cli('old', ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/BankAccountCreatedDomainEventV1 +0 +1 +0 +0\n/);
    expect(stdout).toContain(`- ${OLD.type} ${JSON.stringify(OLD.data)}`);
    expect(stdout).toContain(`+ ${NEW.type} ${JSON.stringify(NEW.data)}`);
    expect(stdout).toContain('Nothing was written.');
    expect(existsSync(at('other'))).toBe(false);
  });

  it('writes an export that goes into an empty store', async () => {
    const file = moduleOf(REPLACING);
    const { code, stdout } = await cli('old', 'rewrite', at('export'), at('other'), '--with', file, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ events_read: 1, events_written: 1, written: { streams: 1 } });
    expect(await cli('fresh', 'import', at('other'))).toMatchObject({ code: 0 });
    const store = openSqliteEventStore({ kind: 'file', path: at('fresh', 'events.db') });
    expect(await collect(store.readStream(STREAM))).toMatchObject([{ revision: 0, ...NEW }]);
    await store.close();
  });

  it('lists in a dry run what would be wrong, and writes nothing of it', async () => {
    const nonsense = { ...NEW, data: { ...NEW.data, account_type: 'GOLD' } };
    const file = moduleOf(`export default (event) => (${JSON.stringify(nonsense)});`);
    const dry = await cli('old', 'rewrite', at('export'), '--with', file, '--dry-run');
    expect(dry.code).toBe(1);
    expect(dry.stdout).toContain('could not be read or applied any more: 1, in streams: 1.');
    expect(dry.stdout).toMatch(new RegExp(`Revision 0 of ${STREAM}, ${NEW.type}: malformed: account_type: `));
    const { stdout } = await cli('old', 'rewrite', at('export'), '--with', file, '--dry-run', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ faults: { events: 1, inherited: 0 } });
    const real = await cli('old', 'rewrite', at('export'), at('other'), '--with', file);
    expect(real.code).toBe(1);
    expect(real.stderr).toMatch(
      /^openbank: Revision 0 of bank-account-1: what would stand there is malformed/,
    );
    expect(await cli('old', 'import', at('other'), '--check')).toMatchObject({ code: 1 });
  });

  it.each<[string, string, RegExp]>([
    [
      'a function that fails',
      `export default () => { throw new Error('oh'); };`,
      /Revision 0 of .*failed: oh/,
    ],
    ['a type that nobody reads', `export default () => ({ type: 'X', data: {} });`, /does not know/],
    ['a module without a function', 'export const a = 1;', /has no function as its default export/],
    ['a module that is none', 'export default (', /cannot be loaded/],
  ])('refuses %s in one sentence, and writes nothing', async (_, source, sentence) => {
    const args = ['rewrite', at('export'), at('other'), '--with', moduleOf(source)];
    const { code, stderr } = await cli('old', ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^openbank: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
    expect(await cli('old', 'import', at('other'), '--check')).toMatchObject({ code: 1 });
  });

  it.each<[string, string[]]>([
    ['no function', ['rewrite', 'a', 'b']],
    ['no target', ['rewrite', 'a', '--with', 'f.mjs']],
    ['no source', ['rewrite', '--with', 'f.mjs', '--dry-run']],
  ])('says how it is used when it gets %s', async (_, args) => {
    const { code, stderr } = await cli('old', ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^openbank: rewrite needs/);
  });
});
