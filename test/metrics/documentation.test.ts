/** docs/metrics.md explains every metric that there is, and none that there is not. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { openAccount, posting } from '../support/customers.ts';
import { MetricsPage } from '../support/metrics-page.ts';
import { startBank } from '../support/running-bank.ts';

interface Documented {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

const DOCUMENT = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const ROW = /^\| `(\w+)` \| (\w+) \|([^|]*)\| [^|]+\. \|$/gm;
const documented = [...DOCUMENT.matchAll(ROW)].map(
  ([, name = '', type = '', labels = '']): Documented => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
  }),
);
const linuxOnly = [...DOCUMENT.matchAll(/^\| `(\w+)` .*Linux only/gm)].map(([, name = '']) => name);

let page: MetricsPage;
beforeAll(async () => {
  const bank = await startBank();
  try {
    const account = await openAccount(bank.client);
    await bank.client.refused('withdrawal', { body: posting(account, '1.00') });
    await bank.client.call('listPersons');
    page = new MetricsPage((await bank.client.call('metrics')).body);
  } finally {
    await bank.close();
  }
});

describe('docs/metrics.md', () => {
  it('has a row for every metric, with its type, and no other', () => {
    const there = [...page.families].map(([name, { type }]) => `${name} ${type}`);
    const absent = process.platform === 'linux' ? [] : linuxOnly;
    const rows = documented.filter(({ name }) => !absent.includes(name));
    expect(rows.map(({ name, type }) => `${name} ${type}`).toSorted()).toEqual(there.toSorted());
  });

  it('names the labels of every metric', () => {
    for (const { name, labels } of documented) {
      const families = page.families.get(name)?.samples ?? [];
      for (const sample of families) {
        const shown = Object.keys(sample.labels).filter((label) => label !== 'le');
        expect(shown, name).toEqual(labels);
      }
    }
  });

  it('speaks of no metric that is not there', () => {
    const names = new Set(documented.map(({ name }) => name));
    const mentioned = DOCUMENT.match(/\b(?:openbank|nodejs|process)_[a-z0-9_]+/g) ?? [];
    for (const name of mentioned) {
      expect(names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, '')), name).toBe(true);
    }
  });

  it('alerts only on values of labels that it explains', () => {
    const explained = DOCUMENT.slice(0, DOCUMENT.indexOf('## Alerts'));
    const values = [...DOCUMENT.matchAll(/\{\w+=~?"([a-z_|]+)"\}/g)].flatMap(([, one = '']) =>
      one.split('|'),
    );
    expect(values.length).toBeGreaterThan(3);
    for (const value of values) expect(explained).toContain(`\`${value}\``);
  });
});

describe('the names of the metrics', () => {
  it('follow the conventions of Prometheus', () => {
    for (const [name, { type, help }] of page.families) {
      if (!name.startsWith('openbank_')) continue;
      expect(name).toMatch(/^openbank_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/);
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb)(_|$)/);
      expect(help, name).toMatch(/^[A-Z].*\.$/);
    }
  });
});

it('no two services share their figures', async () => {
  const [one, other] = [1, 2].map(() => new ServiceMetrics({ version: '1', role: 'all', node: 'here' }));
  one?.onWorkerReport({ kind: 'rebuilding' });
  const problems = async (of: ServiceMetrics | undefined) =>
    new MetricsPage((await of?.page())?.text ?? '').sum('openbank_worker_problems_total');
  expect([await problems(one), await problems(other)]).toEqual([1, 0]);
});
