/** Runs the double of KurrentDB until its parent goes; tells the parent where it is. */
import { startKurrentDbDouble } from './kurrentdb-double/index.ts';

const double = await startKurrentDbDouble({ systemProjections: true });
process.send?.(double.url);
process.once('disconnect', () => process.exit(0));
