/** The double as a process of its own: killed, stopped and told what to do. */
import { appendFileSync } from 'node:fs';
import { NO_STREAM } from '@eventstore/db-client';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  type DoubleProcess,
  type DoubleProcessOptions,
  startKurrentDbDoubleProcess,
} from '../support/kurrentdb-double/double-process.ts';
import { collect, connect, event, numbers, rejectionOf, temporaryPath } from './double-client.ts';

const started: DoubleProcess[] = [];

afterEach(async () => {
  for (const double of started.splice(0)) await double.kill();
});

async function start(options: DoubleProcessOptions): Promise<DoubleProcess> {
  const double = await startKurrentDbDoubleProcess(options);
  started.push(double);
  return double;
}

it('has all that it acknowledged when it comes back after a kill', async () => {
  const stateFile = temporaryPath('state');
  const first = await start({ stateFile });
  const client = connect(first.url);
  const acknowledged: number[] = [];
  for (let n = 0; n < 20; n++) {
    void client.appendToStream(`a-${n}`, event(n), { expectedRevision: NO_STREAM }).then(
      () => acknowledged.push(n),
      () => undefined,
    );
  }
  await eventually('some acknowledged', () => acknowledged.length > 5);
  await first.kill();
  const second = await start({ stateFile, port: first.port });
  const kept = numbers(await collect(connect(second.url).readAll()));
  expect(kept).toEqual(expect.arrayContaining(acknowledged));
});

it('forgets a write that its death cut short, and nothing after it', async () => {
  const stateFile = temporaryPath('state');
  const first = await start({ stateFile });
  await connect(first.url).appendToStream('a-1', event(1));
  await first.kill();
  appendFileSync(stateFile, '{"stream":"a-1","firstRev');
  for (const [n, expected] of [
    [2, [1, 2]],
    [3, [1, 2, 3]],
  ] as const) {
    const next = await start({ stateFile });
    const client = connect(next.url);
    await client.appendToStream('a-1', event(n));
    expect(numbers(await collect(client.readStream('a-1')))).toEqual(expected);
    await next.kill();
  }
});

it('does nothing while it is stopped, and goes on afterwards', async () => {
  const double = await start({});
  const client = connect(double.url);
  await client.appendToStream('a-1', event(0));
  double.pause();
  const options = { deadline: 300, credentials: { username: 'anybody', password: 'any' } };
  expect(await rejectionOf(client.appendToStream('a-1', event(1), options))).toMatchObject({
    type: 'deadline-exceeded',
  });
  double.resume();
  await client.appendToStream('a-1', event(2));
});

it('misbehaves as it is told', async () => {
  const double = await start({ systemProjections: true });
  const client = connect(double.url);
  await double.command('failWrites', 'time_out_after_commit', 1);
  expect(await rejectionOf(client.appendToStream('a-1', event(0)))).toMatchObject({
    type: 'deadline-exceeded',
  });
  await double.command('writeUnreadable', 'a-1', 'Broken');
  const types = (await collect(client.readAll())).map((resolved) => resolved.event?.type);
  expect(types).toEqual(expect.arrayContaining(['Counted', '$>', 'Broken']));
});
