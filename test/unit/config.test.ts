import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cliSettings, codecServerSettings, settings } from '../../src/config.ts';

const preamble = `\
# Every setting that Intake reads. \`npm start\` needs none of them: it brings its own parts.
# Empty counts as not set. Temporal is reached by its SDK's own variables: TEMPORAL_ADDRESS,
# TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, or TEMPORAL_PROFILE with TEMPORAL_CONFIG_FILE.
`;

/** What must be given stands open, what has a default or may be absent is commented out. */
function renderExample(): string {
  const { properties = {}, required = [] } = z.toJSONSchema(
    settings.extend(codecServerSettings.partial().shape).extend(cliSettings.shape),
    { io: 'input' },
  );
  const blocks = Object.entries(properties).map(([key, property]) => {
    if (typeof property === 'boolean') throw new Error(`${key} has no description`);
    const line = `${key}=${property.default ?? ''}`;
    return `# ${property.description}\n${required.includes(key) ? line : `# ${line}`}\n`;
  });
  return [preamble, ...blocks].join('\n');
}

describe('.env.example', () => {
  it('holds every setting with its description and default (vitest -u writes it)', async () => {
    await expect(renderExample()).toMatchFileSnapshot('../../.env.example');
  });
});

describe('ops/roll-back/default-timing.env', () => {
  it('holds every time limit but those that follow from what stands around', () => {
    const path = new URL('../../ops/roll-back/default-timing.env', import.meta.url);
    const keys = readFileSync(path, 'utf8').match(/^[A-Z_]+(?==$)/gm);
    const given = ['UPLOAD_URL_LIFETIME_SECONDS', 'API_DRAIN_SECONDS'];
    const limits = Object.keys(settings.shape).filter((key) => key.endsWith('_SECONDS'));
    expect(keys).toEqual(limits.filter((key) => !given.includes(key)));
  });
});
