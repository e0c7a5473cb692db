/** Reading the end of a log, across chunks and rotation. */
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { follow, readParts, tailParts } from '../../src/cli/log-tail.ts';
import { settings } from '../domain/property-settings.ts';
import { temporaryDirectory } from './temporary-directory.ts';

async function tail(path: string, lines: number): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readParts(await tailParts(path, lines))) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('the tail of a log', () => {
  it('is its last lines, for any lines', async () => {
    const path = join(temporaryDirectory(), 'log');
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(70_000)));
    const text = fc.array(
      line.map((value) => value.replaceAll('\n', '')),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 14 }), fc.boolean(), async (lines, count, ended) => {
        const content = lines.map((value, index) =>
          ended || index < lines.length - 1 ? `${value}\n` : `${value}.`,
        );
        writeFileSync(path, content.join(''));
        expect(await tail(path, count)).toBe(content.slice(-count).join(''));
      }),
      settings(4, 100),
    );
  });

  it('goes on in the rotated files, oldest line first', async () => {
    const path = join(temporaryDirectory(), 'log');
    writeFileSync(`${path}.2`, '1\n2\n');
    writeFileSync(`${path}.1`, '3\n4\n');
    writeFileSync(path, '5\n');
    expect(await tail(path, 4)).toBe('2\n3\n4\n5\n');
    expect(await tail(path, 99)).toBe('1\n2\n3\n4\n5\n');
  });

  it('is nothing when there is no log', async () => {
    expect(await tailParts(join(temporaryDirectory(), 'log'), 5)).toEqual([]);
  });
});

/** Follows a log in the background; `until` waits for a text to have come. */
function following(path: string, position: number) {
  const end = new AbortController();
  let text = '';
  const done = (async () => {
    for await (const chunk of follow(path, position, end.signal)) text += chunk;
  })();
  onTestFinished(async () => {
    end.abort();
    await done;
  });
  return { until: (expected: string) => expect.poll(() => text, { timeout: 5000 }).toBe(expected) };
}

describe('following a log', () => {
  it('gives what is appended after the position, and only that', async () => {
    const path = join(temporaryDirectory(), 'log');
    writeFileSync(path, 'old\n');
    const log = following(path, 4);
    appendFileSync(path, 'one\n');
    await log.until('one\n');
    appendFileSync(path, 'two\n');
    await log.until('one\ntwo\n');
  });

  it('survives rotation without losing or repeating a line', async () => {
    const path = join(temporaryDirectory(), 'log');
    writeFileSync(path, '');
    const log = following(path, 0);
    appendFileSync(path, '1\n');
    await log.until('1\n');
    appendFileSync(path, '2\n');
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, '3\n');
    writeFileSync(path, '4\n');
    await log.until('1\n2\n3\n4\n');
    appendFileSync(path, '5\n');
    await log.until('1\n2\n3\n4\n5\n');
  });

  it('starts again when the file was cut, and waits for one that is missing', async () => {
    const path = join(temporaryDirectory(), 'log');
    const log = following(path, 0);
    writeFileSync(path, 'first\n');
    await log.until('first\n');
    truncateSync(path, 0);
    appendFileSync(path, '2nd\n');
    await log.until('first\n2nd\n');
  });
});
