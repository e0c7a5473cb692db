/** What a customer does, on the embedded stores. */
import { afterAll } from 'vitest';
import { startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeWorkflow } from './workflow.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

describeWorkflow('memory', () => startBank());
describeWorkflow('files', () => startBank({ dataDir: directory.file('bank') }));
