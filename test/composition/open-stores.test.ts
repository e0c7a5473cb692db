/** What people see of where the stores are. */
import { expect, it } from 'vitest';
import { describeLocation } from '../../src/composition/open-stores.ts';

it.each([
  ['esdb://admin:changeit@db:2113?tls=false', 'esdb://db:2113'],
  ['kurrentdb://ann:p@ss/word@db1,db2:2114?tlsCaFile=x', 'kurrentdb://db1,db2:2114'],
  ['kurrentdb://db:2113', 'kurrentdb://db:2113'],
] as const)('shows %s without its credentials and options', (url, shown) => {
  expect(describeLocation({ kind: 'kurrentdb', url })).toBe(shown);
});

it('shows no password of an option', () => {
  const url = 'mongodb://db/openbank?tlsCertificateKeyFilePassword=secret';
  expect(describeLocation({ kind: 'mongodb', url })).toBe('mongodb://db/openbank');
});

it('shows a file by its path', () => {
  expect(describeLocation({ kind: 'file', path: '/data/events.db' })).toBe('/data/events.db');
  expect(describeLocation({ kind: 'memory' })).toBe(':memory:');
});
