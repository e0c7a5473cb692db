/** The layering of src/: which room may import which. `npm run check` fails on a broken rule, so the map can be trusted. */
const room = (name) => `^src/${name}/`;
const rule = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }, 'A cycle means that two modules are one.'),
    rule('no-unresolved', {}, { couldNotResolve: true }, 'Every import must lead somewhere.'),
    rule('no-orphans', { orphan: true, pathNot: '\\.d\\.ts$' }, {}, 'A module that nobody imports is dead.'),
    rule(
      'no-dev-dependencies',
      { path: '^src/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
      'Production installs do not have them.',
    ),
    rule(
      'domain-is-pure',
      { path: room('domain') },
      { pathNot: room('domain') },
      'Decisions and folds know no framework, no clock and no I/O.',
    ),
    rule(
      'event-sourcing-knows-no-bank',
      { path: room('event-sourcing') },
      { path: '^src/', pathNot: room('event-sourcing') },
      'The kit could be a package of its own.',
    ),
    rule(
      'event-sourcing-knows-no-driver',
      { path: room('event-sourcing') },
      { path: '^(node:sqlite|node:fs|node:http|fastify|mongodb|@eventstore)', dependencyTypesNot: ['local'] },
      'Drivers belong to the adapters.',
    ),
    rule(
      'projections',
      { path: room('projections') },
      { path: '^src/', pathNot: [room('projections'), room('domain'), room('event-sourcing')] },
      'A projection folds domain events and nothing else.',
    ),
    rule(
      'application',
      { path: room('application') },
      {
        path: '^src/',
        pathNot: [room('application'), room('domain'), room('event-sourcing'), room('projections')],
      },
      'Handlers know ports, never adapters or HTTP; queries name the projection that they read.',
    ),
    rule(
      'adapters',
      { path: room('adapters') },
      { path: '^src/', pathNot: [room('adapters'), room('event-sourcing')] },
      'An adapter implements a port; it knows neither the bank nor another layer.',
    ),
    rule(
      'drivers-only-in-adapters',
      { path: '^src/', pathNot: room('adapters') },
      { path: '^(sqlite|node:sqlite)$' },
      'The adapters are the only places that know a driver.',
    ),
    rule(
      'http',
      { path: room('http'), pathNot: '^src/http/write-openapi\\.ts$' },
      { path: '^src/', pathNot: [room('http'), room('application'), room('domain'), room('event-sourcing')] },
      'Controllers speak to the application.',
    ),
    rule(
      'metrics',
      { path: room('metrics') },
      {
        path: '^src/',
        pathNot: [room('metrics'), room('http'), room('application'), room('domain'), room('event-sourcing')],
      },
      'It observes through ports and hooks, whatever is behind them.',
    ),
    rule(
      'cli',
      { path: room('cli') },
      {
        path: '^src/',
        pathNot: [room('cli'), '^src/(config|settings)\\.ts$', room('store-tools'), room('domain')],
      },
      'The command line uses the public API, the configuration, and what works on stores beside the bank.',
    ),
    rule(
      'nothing-imports-the-composition',
      { path: '^src/(domain|event-sourcing|application|projections|adapters|cli)/' },
      { path: ['^src/(compose|main)\\.ts$', room('composition'), room('threads')] },
      'The wiring is on top.',
    ),
    rule(
      'store-tools',
      { path: room('store-tools') },
      { path: ['^src/(compose|main)\\.ts$', room('http'), room('cli'), room('metrics')] },
      'They work on stores, whether a bank runs beside them or not.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
