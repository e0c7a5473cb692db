/** The API composed alone, with read models that nobody fills: what the projections cost is the difference to `all`. */
import { composeApi } from '../src/compose.ts';
import { prepareReadModels } from '../src/composition/compose-worker.ts';
import { openEventStore, openReadModelStore } from '../src/composition/open-stores.ts';
import { loadConfig } from '../src/config.ts';
import { Signal } from '../src/event-sourcing/signal.ts';
import { createLogger } from '../src/logging.ts';

const config = loadConfig(process.env);
const { logger, close: closeLog } = createLogger(config);
const opened = await openEventStore(config);
const readModels = await openReadModelStore(config.readModels);
await prepareReadModels(readModels, opened.events);

const app = await composeApi(config, logger, opened, {
  readModels,
  worker: { projected: new Signal(), state: async () => 'running', wake() {}, async stop() {} },
});

process.once('SIGTERM', async () => {
  await app.close();
  await readModels.close();
  await opened.events.close();
  await closeLog();
  process.exit(0);
});
await app.listen({ host: config.host, port: config.port });
