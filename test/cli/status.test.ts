/** What `status` makes of what it sees, and the address it looks at. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectionTable } from '../../src/cli/commands/status.ts';
import { baseUrl } from '../../src/cli/project.ts';
import { type Probe, probe, type ServiceStatus } from '../../src/cli/service-probe.ts';
import { judge } from '../../src/cli/service-verdict.ts';

const config = { host: '127.0.0.1', port: 8899 };

const service: ServiceStatus = {
  version: '1.2.3',
  role: 'all',
  pid: 42,
  started_at: '2026-01-01T00:00:00.000Z',
  uptime_seconds: 1,
  memory_bytes: 1,
  event_store: { kind: 'sqlite', location: '/x', events: 0, head_position: null },
  read_models: { kind: 'sqlite', location: '/y' },
  projections: [],
};

/** Serves the two routes that a probe reads, and gives the address. */
async function serving(answers: Record<string, [number, string]>): Promise<string> {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, '{}'];
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a probe', () => {
  it('tells a ready service from one that is not', async () => {
    const admin: [number, string] = [200, JSON.stringify(service)];
    const ready = await serving({ '/health/ready': [200, '{"status":"ready"}'], '/admin/status': admin });
    expect(await probe(ready)).toMatchObject({ kind: 'openbank', ready: true, status: service });
    const starting = await serving({
      '/health/ready': [503, '{"status":"starting"}'],
      '/admin/status': admin,
    });
    expect(await probe(starting)).toMatchObject({
      kind: 'openbank',
      ready: false,
      health: { status: 'starting' },
    });
  });

  it('takes no other program for the service', async () => {
    const html = await serving({ '/health/ready': [200, '<html>'], '/admin/status': [200, '<html>'] });
    expect(await probe(html)).toEqual({ kind: 'foreign' });
    const json = await serving({
      '/health/ready': [200, '{"status":"ready"}'],
      '/admin/status': [200, '{}'],
    });
    expect(await probe(json)).toEqual({ kind: 'foreign' });
  });

  it('does not wait for ever, and does not mind that nobody is there', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await probe(`http://127.0.0.1:${port}`, 100)).toEqual({ kind: 'silent' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await probe(`http://127.0.0.1:${port}`)).toEqual({ kind: 'unreachable' });
  });
});

describe('the verdict', () => {
  const seen = (ready: boolean): Probe => ({
    kind: 'openbank',
    ready,
    health: { status: ready ? 'ready' : 'degraded' },
    status: service,
  });

  it.each([
    [42, seen(true), 'ready'],
    [undefined, seen(true), 'ready'],
    [42, seen(false), 'unhealthy'],
    [42, { kind: 'unreachable' } as Probe, 'unhealthy'],
    [42, { kind: 'silent' } as Probe, 'unhealthy'],
    [undefined, { kind: 'unreachable' } as Probe, 'not_running'],
    [undefined, { kind: 'foreign' } as Probe, 'not_running'],
  ])('for process %s and %j is %s', (pid, probed, state) => {
    expect(judge(config, { pid, probe: probed }).state).toBe(state);
  });
});

describe('the table of projections', () => {
  it('is aligned', () => {
    const projection = { version: 1, position: '9', lag_events: 1200, lag_ms: 5, dead_letters: 0 };
    const table = projectionTable([
      { ...projection, name: 'accounts', state: 'running' },
      { ...projection, name: 'owners', state: 'retrying', lag_events: null },
    ]);
    expect(table.split('\n').slice(1)).toEqual([
      '  accounts          1  running   1,200         5         9             0',
      '  owners            1  retrying      -         5         9             0',
    ]);
  });
});

describe('the address to call', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:8899'],
    ['0.0.0.0', 'http://127.0.0.1:8899'],
    ['::', 'http://[::1]:8899'],
    ['fe80::1', 'http://[fe80::1]:8899'],
    ['bank.example', 'http://bank.example:8899'],
  ])('for host %s is %s', (host, url) => expect(baseUrl({ host, port: 8899 })).toBe(url));
});
