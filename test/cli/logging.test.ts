/** The log: its lines, what it hides, and that rotation loses nothing. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/logging.ts';
import { temporaryDirectory } from './temporary-directory.ts';

function lines(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log file', () => {
  it('has the level as a word, ISO times and nothing of the machine', async () => {
    const logFile = join(temporaryDirectory(), 'logs/bank.log');
    const { logger, close } = createLogger({ logLevel: 'info', logFile });
    logger.debug('not shown');
    logger.info({ revision: 3 }, 'done');
    await close();
    const [line, ...rest] = lines(logFile);
    expect(rest).toEqual([]);
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      revision: 3,
      msg: 'done',
    });
  });

  it('hides personal data where it could slip in', async () => {
    const logFile = join(temporaryDirectory(), 'bank.log');
    const { logger, close } = createLogger({ logLevel: 'info', logFile });
    const person = {
      first_name: 'Alice',
      last_name: 'Smith',
      date_of_birth: '1990-05-15',
      address: { city: 'Oslo' },
    };
    logger.info({ ...person, body: person, data: person, command: person, event: { data: person } }, 'slip');
    await close();
    expect(readFileSync(logFile, 'utf8')).not.toMatch(/Alice|Smith|1990|Oslo/);
  });

  it('is written at the latest after a moment, also without a close', async () => {
    const logFile = join(temporaryDirectory(), 'bank.log');
    const { logger, close } = createLogger({ logLevel: 'info', logFile });
    logger.info('soon');
    await expect.poll(() => lines(logFile).length, { timeout: 3000 }).toBe(1);
    await close();
    expect(() => logger.info('after the close')).not.toThrow();
    await close();
  });

  it('rotates by size, keeps a bounded number of files and loses no line', async () => {
    const directory = temporaryDirectory();
    const logFile = join(directory, 'bank.log');
    const { logger, close } = createLogger({ logLevel: 'info', logFile }, { maxBytes: 20_000, files: 50 });
    for (let number = 0; number < 3000; number += 1) {
      logger.info({ number }, 'a line');
      if (number % 50 === 0) await delay(1);
    }
    await close();
    const files = readdirSync(directory).map((name) => join(directory, name));
    const numbers = files.flatMap((file) => lines(file).map(({ number }) => Number(number)));
    expect(files.length).toBeGreaterThan(3);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, index) => index));
  });

  it('deletes the oldest beyond the bound', async () => {
    const directory = temporaryDirectory();
    const logFile = join(directory, 'bank.log');
    writeFileSync(`${logFile}.1`, 'older\n');
    const { logger, close } = createLogger({ logLevel: 'info', logFile }, { maxBytes: 10_000, files: 3 });
    for (let number = 0; number < 2000; number += 1) {
      logger.info({ number }, 'a line');
      if (number % 50 === 0) await delay(1);
    }
    await close();
    expect(readdirSync(directory).sort()).toEqual(['bank.log', 'bank.log.1', 'bank.log.2']);
    const kept = [`${logFile}.2`, `${logFile}.1`, logFile].flatMap((file) => lines(file));
    expect(kept.at(-1)?.number).toBe(1999);
    expect(statSync(logFile).size).toBeLessThan(40_000);
  });

  it('keeps a fatal line and the lines before it when the process ends at once', () => {
    const logFile = join(temporaryDirectory(), 'bank.log');
    const module = join(import.meta.dirname, '../../src/logging.ts');
    const script = `import { createLogger } from ${JSON.stringify(module)};
      const { logger } = createLogger({ logLevel: 'info', logFile: ${JSON.stringify(logFile)} });
      logger.info('before'); logger.fatal('the end'); process.kill(process.pid, 'SIGKILL');`;
    spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(lines(logFile).map(({ msg }) => msg)).toEqual(['before', 'the end']);
  });

  it('is a startup error when it cannot be opened', () => {
    const logFile = temporaryDirectory();
    expect(() => createLogger({ logLevel: 'info', logFile })).toThrow(/EISDIR/);
    expect(existsSync(logFile)).toBe(true);
  });
});
