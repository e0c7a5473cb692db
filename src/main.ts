/** The process entry: configuration, composition, listening, and a graceful end. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from './adapters/files/make-directory.ts';
import { compose, type OpenBank } from './compose.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { StoreError } from './event-sourcing/store-error.ts';
import { createLogger, type Logging } from './logging.ts';

/** What was accepted must be finished within this time, in milliseconds, or the process ends without it. */
const SHUTDOWN_MS_MAX = 10_000;
const EXIT_FAILED = 1;
const EXIT_WRONG_CONFIGURATION = 2;

await main();

async function main(): Promise<void> {
  // What the bank writes is for its own user: databases and log hold personal data.
  process.umask(0o077);
  let started: { config: Config; bank: OpenBank; closeLog: () => Promise<void> };
  try {
    started = await start();
  } catch (error) {
    console.error(`openbank: ${sentence(error)}`);
    process.exit(error instanceof ConfigError ? EXIT_WRONG_CONFIGURATION : EXIT_FAILED);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(started, signal));
}

async function start() {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  makeDataDirectory(config.dataDir);
  const { logger, close: closeLog } = openLog(config);
  const bank = await compose(config, logger);
  try {
    await bank.app.listen({ host: config.host, port: config.port });
    writeFileSync(pidFile(config), `${process.pid}\n`);
  } catch (error) {
    await bank.close();
    throw error;
  }
  return { config, bank, closeLog };
}

async function stop(
  { config, bank, closeLog }: { config: Config; bank: OpenBank; closeLog: () => Promise<void> },
  signal: string,
): Promise<void> {
  bank.app.log.info({ signal }, 'stopping');
  const overdue = setTimeout(() => {
    console.error(`openbank: could not finish within ${SHUTDOWN_MS_MAX / 1000} s, ending now.`);
    process.exit(EXIT_FAILED);
  }, SHUTDOWN_MS_MAX);
  const failure = await bank.close().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure !== undefined) bank.app.log.error({ err: failure }, 'stopping failed');
  rmSync(pidFile(config), { force: true });
  await closeLog();
  clearTimeout(overdue);
  process.exit(failure === undefined ? 0 : EXIT_FAILED);
}

function makeDataDirectory(path: string): void {
  try {
    makeDirectory(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StoreError('unavailable', `The data directory ${path} cannot be used (${code}).`);
  }
}

function openLog(config: Config): Logging {
  try {
    return createLogger(config);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StoreError('unavailable', `The log file ${config.logFile} cannot be written (${code}).`);
  }
}

function pidFile(config: Config): string {
  return join(config.dataDir, 'openbank.pid');
}

function sentence(error: unknown): string {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use by another program.`;
  if (code === 'EACCES' && port !== undefined)
    return `port ${port} on ${address} is not allowed for this user.`;
  if (code === 'EADDRNOTAVAIL') return `${address} is not an address of this machine.`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'OPENBANK_HOST is not a name that leads to an address.';
  return error instanceof Error ? error.message : String(error);
}
