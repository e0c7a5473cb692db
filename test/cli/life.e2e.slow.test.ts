/** The life of a bank through its command line: start, look, fill, restart, stop, reset. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, cliIn } from './run-cli.ts';

const directory = mkdtempSync(join(tmpdir(), 'openbank-life-'));
let cli: Cli;
let dataDir: string;

beforeAll(async () => {
  cli = await cliIn(directory);
  dataDir = cli.env.OPENBANK_DATA_DIR ?? '';
});

afterAll(async () => {
  await cli.run(['stop', '--force']);
  rmSync(directory, { recursive: true, force: true });
});

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await cli.run([...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('a bank through its command line', () => {
  let pid: unknown;

  it('starts once, also when two ask at the same time', async () => {
    const outcomes = await Promise.all([json(['start']), json(['start'])]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['already', 'started']);
    pid = outcomes[0]?.pid;
    expect(outcomes[1]?.pid).toBe(pid);
    const again = await cli.run(['start']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(`runs already (process ${pid})`);
    expect(again.stdout).toContain('/api/docs');
    expect(again.stdout).toContain('/admin/streams');
  });

  it('is ready, with every projection in the table', async () => {
    const status = await json(['status']);
    expect(status).toMatchObject({ state: 'ready', pid, health: { status: 'ready' } });
    const { projections } = status.service as { projections: { name: string }[] };
    const { code, stdout } = await cli.run(['status']);
    expect(code).toBe(0);
    expect(projections.length).toBeGreaterThan(0);
    for (const { name } of projections) expect(stdout).toMatch(new RegExp(`^ {2}${name} .*running`, 'm'));
  });

  it('is filled by the demo, which agrees with its own books', async () => {
    const before = await eventCount();
    const result = await json(['demo', '--customers', '6', '--months', '1', '--seed', 'e2e']);
    const [accounts, transactions] = [Number(result.accounts), Number(result.transactions)];
    expect(result).toMatchObject({ customers: 6, seed: 'e2e', owner_summary: { closed_accounts: 0 } });
    const written =
      6 + accounts + transactions + Number(result.limit_changes) + Number(result.closed_accounts);
    expect((await eventCount()) - before).toBe(written);
  });

  it('is filled the same way again by the same seed', async () => {
    const runs = await Promise.all([1, 2].map(() => json(['demo', '--customers', '3', '--months', '1'])));
    const [first, second] = runs.map(({ accounts, transactions, refusals }) => ({
      accounts,
      transactions,
      refusals,
    }));
    expect(second).toEqual(first);
  });

  it('shows its log, readable and as JSON lines', async () => {
    const pretty = await cli.run(['logs', '-n', '1000']);
    expect(pretty.code).toBe(0);
    expect(pretty.stdout).toMatch(/INFO/);
    const raw = await cli.run(['logs', '--json', '-n', '2']);
    const lines = raw.stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('level');
  });

  it('refuses another data directory on its port, and another port on its data directory', async () => {
    const elsewhere = await cli.run(['start'], { OPENBANK_DATA_DIR: join(directory, 'other') });
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toMatch(/^openbank: Another OpenBank .*\n$/);
    const stopped = await cli.run(['stop'], { OPENBANK_DATA_DIR: join(directory, 'other') });
    expect(stopped.stdout).toContain('another one answers');
    const port = await cli.run(['start'], { OPENBANK_PORT: '1' });
    expect(port.code).toBe(1);
    expect(port.stderr).toMatch(/runs already/);
  });

  it('is found when its pid file is lost', async () => {
    rmSync(join(dataDir, 'openbank.pid'));
    expect(await json(['start'])).toMatchObject({ outcome: 'already', pid });
  });

  it('keeps its data over a restart', async () => {
    const before = await eventCount();
    const restarted = await json(['restart']);
    expect(restarted.outcome).toBe('started');
    expect(restarted.pid).not.toBe(pid);
    expect(await eventCount()).toBe(before);
  });

  it('is not reset without a clear yes', async () => {
    const { code, stdout, stderr } = await cli.run(['reset']);
    expect(code).toBe(2);
    expect(stdout).toContain(join(dataDir, 'events.db'));
    expect(stderr).toMatch(/^openbank: Nothing was deleted/);
    expect((await cli.run(['status'])).code).toBe(0);
  });

  it('stops, and leaves no pid file', async () => {
    expect(await json(['stop'])).toMatchObject({ outcome: 'stopped' });
    expect(existsSync(join(dataDir, 'openbank.pid'))).toBe(false);
    expect((await cli.run(['status'])).code).toBe(3);
  });

  it('is reset with --yes, stopping it first and keeping what is not its own', async () => {
    await json(['start']);
    writeFileSync(join(dataDir, 'mine.txt'), 'mine');
    expect((await cli.run(['reset', '--yes'])).code).toBe(0);
    expect(readdirSync(dataDir)).toEqual(['mine.txt']);
    expect((await cli.run(['status'])).code).toBe(3);
  });

  it("passes the service's own sentence on when it cannot start", async () => {
    writeFileSync(join(dataDir, 'events.db'), 'this is no database, but long enough to look at'.repeat(50));
    const { code, stderr } = await cli.run(['start']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^openbank: .*events\.db.*\n$/);
    expect(readFileSync(join(dataDir, 'mine.txt'), 'utf8')).toBe('mine');
  });

  async function eventCount(): Promise<number> {
    const { service } = (await json(['status'])) as { service: { event_store: { events: number } } };
    return service.event_store.events;
  }
});
