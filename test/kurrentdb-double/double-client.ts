/** A double with a raw client on it, and what the tests of the double ask of both. */
import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, type JSONEventData, jsonEvent, type ResolvedEvent } from '@eventstore/db-client';
import { onTestFinished } from 'vitest';
import {
  type KurrentDbDouble,
  type KurrentDbDoubleOptions,
  startKurrentDbDouble,
} from '../support/kurrentdb-double/index.ts';

import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Is closed when its test ends. */
export async function startDouble(options: KurrentDbDoubleOptions = {}): Promise<KurrentDbDouble> {
  const double = await startKurrentDbDouble(options);
  onTestFinished(() => double.close());
  return double;
}

/** A path for a file that is gone when its test ends. */
export function temporaryPath(name: string): string {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  return directory.file(name);
}

/** Is disposed of when its test ends. */
export function connect(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url);
  onTestFinished(() => client.dispose());
  return client;
}

export async function startWithClient(
  options: KurrentDbDoubleOptions = {},
): Promise<{ double: KurrentDbDouble; client: EventStoreDBClient }> {
  const double = await startDouble(options);
  return { double, client: connect(double.url) };
}

/** An event whose data is a number to know it by. */
export function event(n: number, id: string = randomUUID()): JSONEventData {
  return jsonEvent({ type: 'Counted', id, data: { n }, metadata: { m: n } });
}

export function events(count: number): JSONEventData[] {
  return Array.from({ length: count }, (_, n) => event(n));
}

/** The numbers of events, a link that leads nowhere counting as -1. */
export function numbers(resolved: readonly ResolvedEvent[]): number[] {
  return resolved.map(({ event: recorded }) => (recorded?.data as { n?: number } | undefined)?.n ?? -1);
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** What a promise is rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('It was not rejected.');
}
