/** Dockerfile and docker-compose.yml against what they promise; no container engine is needed to see that they do not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { codecServerSettings, settings } from '../../src/config.ts';

const root = new URL('../../', import.meta.url).pathname;

interface Service {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart: string;
  readonly healthcheck?: { readonly test: readonly unknown[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, unknown>> } };
}

const compose: {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
} = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true });
const services = Object.entries(compose.services);
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');

describe('docker-compose.yml', () => {
  test('publishes the API and nothing else', () => {
    const published = services.filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name]) => name)).toEqual(['api']);
  });

  test('keeps whoever asks for no credentials on networks without a way out', () => {
    const inner = ['temporal', 'database', 'temporal-database', 'prometheus', 'dev-storage'];
    for (const name of inner) {
      const networks = compose.services[name]?.networks ?? [];
      expect(networks.filter((network) => !compose.networks[network]?.internal)).toEqual([]);
    }
  });

  test('shows the Temporal UI to nobody who has not signed in, unless told', () => {
    expect(compose.services['temporal-ui']?.environment).toMatchObject({
      TEMPORAL_AUTH_ENABLED: expect.stringMatching(/:-true}$/),
      TEMPORAL_AUTH_PROVIDER_URL: expect.anything(),
    });
  });

  test('runs stand-ins in the profile dev alone', () => {
    const standIns = services.filter(([, { build }]) => build?.target === 'dev');
    expect(standIns.length).toBeGreaterThan(0);
    for (const [, { profiles }] of standIns) expect(profiles).toEqual(['dev']);
    const programs = services.filter(([, { command }]) =>
      command?.some((word) => word.startsWith('src/dev/')),
    );
    expect(programs.map(([name]) => name)).toEqual(standIns.map(([name]) => name));
    expect(dockerfile).toContain('AS intake\nRUN rm -r src/dev\n');
  });

  test.each(services)(
    '%s is pinned, bounded and has no rights that it does not need',
    (_name, it) => {
      expect(it.image).toMatch(it.build ? /^intake(-dev)?:\$/ : /^[^:]+:v?\d+\.\d+\.\d+/);
      expect(it.image).not.toMatch(/latest/);
      expect(it).toMatchObject({
        user: expect.stringMatching(/^[1-9]\d*:\d+$/),
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      const limits = it.deploy?.resources.limits;
      expect(Object.keys(limits ?? {}).toSorted()).toEqual(['cpus', 'memory', 'pids']);
    },
  );

  test.each(services)('%s says when it is well, or ends by itself', (_name, it) => {
    if (it.restart.startsWith('on-failure')) return;
    expect(it.restart).toBe('unless-stopped');
    expect(it.healthcheck?.test[0]).toBe('CMD');
    expect(it.healthcheck?.test.every((word) => typeof word === 'string')).toBe(true);
  });

  test('waits for jobs to end and for servers to be well', () => {
    for (const [name, { depends_on: needs = {} }] of services) {
      for (const [other, { condition }] of Object.entries(needs)) {
        const job = compose.services[other]?.restart.startsWith('on-failure');
        expect(condition, `${name} on ${other}`).toBe(
          job ? 'service_completed_successfully' : 'service_healthy',
        );
      }
    }
  });

  test('gives our processes settings that they have', () => {
    const known = { ...settings.shape, ...codecServerSettings.shape };
    const ofOthers = /^(TEMPORAL_(ADDRESS|NAMESPACE)|NODE_OPTIONS|METRICS_(HOST|PORT))$/;
    for (const [name, { build, environment = {} }] of services) {
      if (build?.target !== 'intake') continue;
      const unknown = Object.keys(environment).filter((key) => !(key in known));
      expect(
        unknown.filter((key) => !ofOthers.test(key)),
        name,
      ).toEqual([]);
    }
  });

  test('runs and mounts what is there', () => {
    const programs = services.flatMap(([, { command = [] }]) => command).filter(isProgram);
    const mounts = services
      .flatMap(([, { volumes = [] }]) => volumes)
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => source.startsWith('./'))
      // Rules and dashboard have tests of their own.
      .filter((source) => !/^\.\/ops\/(prometheus|grafana\/intake\.json)$/.test(source));
    expect(programs.length).toBeGreaterThan(0);
    const missing = [...programs, ...mounts].filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });
});

function isProgram(word: string): boolean {
  return word.endsWith('.ts');
}

describe('Dockerfile', () => {
  const lines = dockerfile.split('\n');

  test('begins with one pinned image and ends as nobody special', () => {
    const images = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    const stages = new Set(lines.flatMap((line) => / AS (\S+)$/.exec(line)?.[1] ?? []));
    const foreign = images.filter((image) => !stages.has(image));
    expect(foreign).toEqual([expect.stringMatching(/^node:\d+\.\d+\.\d+-.*@sha256:[0-9a-f]{64}$/)]);
    expect(lines.findLast((line) => line.startsWith('USER '))).toBe('USER 1000:1000');
  });

  test('copies what is there and what .dockerignore lets through', () => {
    const copied = lines
      .filter((line) => line.startsWith('COPY '))
      .flatMap((line) => line.split(' ').slice(1, -1));
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(copied.toSorted()).toEqual(allowed.toSorted());
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('builds what compose asks for', () => {
    const targets = services.flatMap(([, { build }]) => build?.target ?? []);
    for (const target of targets) expect(dockerfile).toMatch(new RegExp(` AS ${target}$`, 'm'));
  });
});
