/** Analytics on the embedded stores. */
import { afterAll } from 'vitest';
import { startSeededBank } from '../support/seeded-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeAnalytics } from './analytics.cases.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describeAnalytics('on the embedded stores', (seed) => startSeededBank(directory.file('bank'), seed));
