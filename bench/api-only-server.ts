/** The API composed alone, with read models that nobody fills: what the projections cost is the difference to `all`. */
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../src/adapters/sqlite/read-model-store.ts';
import { composeApi } from '../src/compose.ts';
import { prepareReadModels } from '../src/compose-read-side.ts';
import { loadConfig } from '../src/config.ts';
import { Signal } from '../src/event-sourcing/signal.ts';
import { createLogger } from '../src/logging.ts';

const config = loadConfig(process.env);
const { logger, close: closeLog } = createLogger(config);
const events = openSqliteEventStore(config.eventStore);
const readModels = openSqliteReadModelStore(config.readModels);
await prepareReadModels(readModels, events);

const app = await composeApi(config, logger, events, {
  readModels,
  runner: { projected: new Signal(), state: () => 'running', wake() {}, async stop() {} },
  close: () => readModels.close(),
});

process.once('SIGTERM', async () => {
  await app.close();
  await readModels.close();
  await events.close();
  await closeLog();
  process.exit(0);
});
await app.listen({ host: config.host, port: config.port });
