/** Where the project lies, and its configuration as every command sees it. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { CliError, EXIT } from './cli-error.ts';

/** The project's directory; relative paths of the configuration start here. */
export const PROJECT_ROOT = resolve(import.meta.dirname, '../..');

/** The entry file of the service. */
export const SERVICE_ENTRY = join(PROJECT_ROOT, 'src/main.ts');

/**
 * How Node.js runs the service, also in `npm start` and in the image. Experimental parts that it uses on purpose are
 * nothing to warn an operator about. Twice the usual room for young objects, in MiB, lets those of a long statement or a
 * large batch die young.
 */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=32'];

/**
 * Reads `.env` and the environment, which wins.
 * @throws CliError with one sentence, exit code 2, for a wrong value.
 */
export function readConfig(): Config {
  const file = join(PROJECT_ROOT, '.env');
  try {
    if (existsSync(file)) process.loadEnvFile(file);
    return loadConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message, EXIT.usage);
    throw new CliError(`${file} cannot be read: ${(error as Error).message}.`, EXIT.usage);
  }
}

/** The log of a service that was started in the background. */
export function logFile(config: Config): string {
  return config.logFile ?? join(config.dataDir, 'openbank.log');
}

/** What a background service says outside of its log: the sentence of a failed start, a crash of Node.js. */
export function outputFile(config: Config): string {
  return join(config.dataDir, 'openbank.out');
}

/** The file that holds the process id of the running service. */
export function pidFile(config: Config): string {
  return join(config.dataDir, 'openbank.pid');
}

/** The address to call the service at; one that means "every interface" is called on this machine. */
export function baseUrl(config: Pick<Config, 'host' | 'port'>): string {
  const local: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const host = local[config.host] ?? config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/** The version in package.json. */
export function projectVersion(): string {
  const text = readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
