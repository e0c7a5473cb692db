/** A real bank, composed and listening, for tests that talk to it over HTTP. */
import type { AddressInfo } from 'node:net';
import pino, { type Logger } from 'pino';
import { compose, type Hooks } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { BankClient } from './bank-client.ts';

type Composed = Awaited<ReturnType<typeof compose>>;

export interface RunningBank {
  readonly app: Composed['app'];
  readonly url: string;
  readonly client: BankClient;
  close(): Promise<void>;
}

const MEMORY = { OPENBANK_EVENT_STORE: 'sqlite::memory:', OPENBANK_READ_MODELS: 'sqlite::memory:' };

/** Starts a bank on a free port: in memory, or on the files of a directory, where the projector has its own thread. */
export async function startBank(
  options: { dataDir?: string; logger?: Logger; settings?: Record<string, string>; hooks?: Hooks } = {},
): Promise<RunningBank> {
  const stores = options.dataDir === undefined ? MEMORY : { OPENBANK_DATA_DIR: options.dataDir };
  const config = loadConfig({ ...stores, ...options.settings });
  const bank = await compose(config, options.logger ?? pino({ level: 'silent' }), options.hooks);
  await bank.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = bank.app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return { app: bank.app, url, client: new BankClient(url), close: () => bank.close() };
}
