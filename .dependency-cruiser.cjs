/**
 * What may import what. Production code only: tests may import anything, and nothing imports them.
 * Arrows that exist at run time and those of types alone are held to the same rules, except for cycles.
 */

/** Rooms of `src` from the inside out: each knows itself, the domain, and those named here. */
const rooms = {
  observability: [],
  db: [],
  storage: ['observability'],
  'provider-budget': [],
  spool: [],
  parsing: ['observability', 'provider-budget', 'spool'],
  chunking: ['embedding'],
  embedding: ['observability', 'provider-budget'],
  temporal: ['observability'],
  identity: [],
  search: ['db', 'embedding'],
  upgrade: ['db', 'storage', 'spool', 'parsing', 'chunking', 'embedding'],
};

const oneWay = Object.entries(rooms).map(([room, known]) => ({
  name: `${room}-one-way`,
  comment: `src/${room} is a room of its own: it knows the domain${known.map((other) => `, ${other}`).join('')} and the configuration's type, and never those above it.`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: {
    path: '^(src|activities|workflows)/',
    pathNot: [`^src/(${[room, 'domain', ...known].join('|')})/`, '^src/config\\.ts$'],
  },
}));

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment:
        'src/domain runs inside workflows: no package, no builtin, no other room, or replays differ.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'workflows-are-deterministic',
      comment:
        'Workflows know the SDK, the domain and the types of the activities. Anything else ends in their bundle.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: [
          '^workflows/',
          '^src/domain/',
          '^activities/contract\\.ts$',
          '^node_modules/@temporalio/(workflow|common)/',
        ],
      },
    },
    {
      name: 'contract-is-types',
      comment: 'A value import of the contract would drag activity code into the workflow bundle.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'contract-knows-the-domain',
      comment: 'Workflows are type-checked without Node; the contract must not bring its types in.',
      severity: 'error',
      from: { path: '^activities/contract\\.ts$' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'workflows-start-by-name',
      comment:
        'Only the bundler reads workflows/. Clients name a workflow and its messages through the domain or by type.',
      severity: 'error',
      from: { path: '^(src|activities)/' },
      to: { path: '^workflows/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'activities-below-the-processes',
      comment: 'Activities use the rooms; the processes use activities.',
      severity: 'error',
      from: { path: '^activities/' },
      to: { path: '^src/(api|webhooks|worker|codec-server|cli|dev)/' },
    },
    ...oneWay,
    {
      name: 'processes-apart',
      comment:
        'API, worker and codec server share rooms, never each other: they are deployed apart.',
      severity: 'error',
      from: { path: '^src/(api|worker|codec-server)/' },
      to: { path: '^src/(api|worker|codec-server|cli)/', pathNot: '^src/$1/' },
    },
    {
      name: 'webhooks-one-way',
      comment: 'The API mounts the webhook routes, not the reverse.',
      severity: 'error',
      from: { path: '^src/webhooks/' },
      to: { path: '^src/(worker|cli)/' },
    },
    {
      name: 'no-stand-ins-in-production',
      comment:
        'What newcomers run must be what production runs: only `intake up` may start the embedded stack.',
      severity: 'error',
      from: {
        path: '^(src|activities|workflows)/',
        pathNot: ['^src/dev/', '^src/cli/commands/up\\.ts$'],
      },
      to: { path: '^src/dev/' },
    },
    {
      name: 'no-tests-in-sources',
      comment: 'Tests and benchmarks look at sources, never the reverse.',
      severity: 'error',
      from: { path: '^(src|activities|workflows)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-cycles',
      comment:
        'A cycle at run time makes the order of loading matter. Cycles of types alone are harmless.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-undeclared-packages',
      comment:
        'A package that is only there because another one needs it can vanish with any update.',
      severity: 'error',
      // bench has a package.json of its own and runs on these modules.
      from: { pathNot: '^bench/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-development-packages-in-production',
      comment: 'Production installs without devDependencies.',
      severity: 'error',
      from: { path: '^(src|activities|workflows)/', pathNot: '^src/dev/' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^node_modules/@types/',
      },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/fixtures' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
