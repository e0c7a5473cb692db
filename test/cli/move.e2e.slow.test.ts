/** A bank moves: exported while it runs, imported elsewhere, started there, and every document is the same. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Cli, cliIn, type Outcome } from './run-cli.ts';

const root = mkdtempSync(join(tmpdir(), 'openbank-move-'));
const directory = join(root, 'export');
let old: Cli;
let fresh: Cli;

beforeAll(async () => {
  old = await cliIn(join(root, 'old'));
  fresh = await cliIn(join(root, 'fresh'));
  expect((await old.run(['start'])).code).toBe(0);
  expect((await old.run(['demo', '--customers', '8', '--months', '1'])).code).toBe(0);
});

afterAll(async () => {
  await Promise.all([old.run(['stop', '--force']), fresh.run(['stop', '--force'])]);
  rmSync(root, { recursive: true, force: true });
});

interface Page {
  readonly items: readonly { readonly id: string }[];
  readonly next_cursor?: string;
}

/** Every item of a collection, by id. */
async function documents(cli: Cli, path: string): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const query = new URLSearchParams({ limit: '100', ...(cursor ? { cursor } : {}) });
    const url = `http://127.0.0.1:${cli.env.OPENBANK_PORT}/api/v1/${path}?${query}`;
    const page = (await (await fetch(url)).json()) as Page;
    for (const item of page.items) found.set(item.id, item);
    cursor = page.next_cursor;
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function status(cli: Cli): Promise<{ events: number; lags: (number | null)[] }> {
  const { stdout } = await cli.run(['status', '--json']);
  const { service } = JSON.parse(stdout);
  return {
    events: service.event_store.events,
    lags: service.projections.map(({ lag_events }: { lag_events: number | null }) => lag_events),
  };
}

function refusal({ code, stderr }: Outcome): string {
  expect(code).toBe(1);
  expect(stderr).toMatch(/^openbank: [^\n]+\n$/);
  return stderr;
}

describe('a bank that moves', () => {
  it('is exported while it runs, checked, imported, and answers as before', async () => {
    const { events } = await status(old);
    const out = await old.run(['export', directory, '--json']);
    expect({ ...out, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
    const exported = JSON.parse(out.stdout);
    expect(exported).toMatchObject({ events, events_before: 0, segments: 1 });

    const check = await fresh.run(['import', directory, '--check']);
    expect(check.code).toBe(0);
    expect(check.stdout).toContain(`checksum ${exported.digest}`);
    expect(readdirSync(root)).not.toContain('fresh');

    const imported = await fresh.run(['import', directory, '--json']);
    expect({ ...imported, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(JSON.parse(imported.stdout)).toMatchObject({ events, digest: exported.digest, events_before: 0 });

    expect((await fresh.run(['start'])).code).toBe(0);
    await eventually('the read models are built', async () => {
      const { lags } = await status(fresh);
      return lags.every((lag) => lag === 0);
    });
    const accounts = await documents(old, 'accounts');
    expect(accounts.size).toBeGreaterThan(8);
    expect(await documents(fresh, 'accounts')).toEqual(accounts);
    expect(await documents(fresh, 'persons')).toEqual(await documents(old, 'persons'));
    for (const id of [...accounts.keys()].slice(0, 3)) {
      const path = `accounts/${id}/transactions`;
      expect(await documents(fresh, path)).toEqual(await documents(old, path));
    }
  });

  it('is not imported into a bank that runs, or that has events of its own', async () => {
    expect(refusal(await old.run(['import', directory]))).toMatch(/in use .*\.\/openbank stop\.$/m);
    const posted = await fetch(`http://127.0.0.1:${fresh.env.OPENBANK_PORT}/api/v1/persons`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        first_name: 'Alice',
        last_name: 'Smith',
        date_of_birth: '1990-05-15',
        nationality: 'US',
        gender: 'FEMALE',
      }),
    });
    expect(posted.status).toBe(201);
    await fresh.run(['stop']);
    expect(refusal(await fresh.run(['import', directory]))).toMatch(/An import needs a store without events/);
  });

  it('says in one sentence what is wrong with a directory', async () => {
    const usage = await old.run(['export']);
    expect([usage.code, usage.stderr]).toEqual([
      2,
      'openbank: export needs DIR. See ./openbank export --help.\n',
    ]);
    expect(refusal(await fresh.run(['import', join(root, 'nowhere'), '--check']))).toMatch(/does not exist/);
    const foreign = join(root, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'mine.txt'), 'mine');
    expect(refusal(await old.run(['export', foreign]))).toMatch(/it holds 'mine\.txt', which is not of an/);
    const memory = await old.run(['export', join(root, 'm')], { OPENBANK_EVENT_STORE: 'sqlite::memory:' });
    expect(refusal(memory)).toMatch(/A store in memory cannot be read by another process\./);

    const [segment = ''] = readdirSync(directory);
    truncateSync(join(directory, segment), 1_000);
    const other = { OPENBANK_DATA_DIR: join(root, 'third') };
    expect(refusal(await fresh.run(['import', directory], other))).toMatch(
      new RegExp(`^openbank: ${segment} is damaged: its checksum`),
    );
  });
});
