/**
 * The settings of a bank on servers: the KurrentDB and MongoDB that `KURRENTDB_TEST_URL` and `MONGODB_TEST_URL` name, or
 * the double and the stand-in, each a process of its own that a test can kill, pause and start again.
 */
import { KurrentDbDoubleProcess } from './kurrentdb-server.ts';
import { MongoStandIn, newDatabase } from './mongodb-server.ts';
