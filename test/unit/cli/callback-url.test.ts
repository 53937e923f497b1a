import { expect, test } from 'vitest';
import type { Scene } from '../../../src/cli/doctor/check.ts';
import { callbackUrl } from '../../../src/cli/doctor/checks/callback-url.ts';

/** What the check looks at. */
function tried(PUBLIC_URL: string | undefined, parser = 'https://api.cloud.llamaindex.ai') {
  const config = { PUBLIC_URL, LLAMA_CLOUD_BASE_URL: parser };
  return callbackUrl.run({ config } as Scene);
}

test.each([
  'https://localhost:8443',
  'https://10.0.0.7',
  'https://172.20.1.1',
  'https://192.168.1.4',
  'https://169.254.169.254',
  'https://[fd00::1]',
  'https://intake',
  'https://intake.internal',
  'http://intake.example',
])('%s is not reached by a parser elsewhere', async (url) => {
  await expect(tried(url)).rejects.toMatchObject({ ailment: 'not public' });
});

test.each(['https://intake.example', 'https://172.15.0.1', 'https://[2001:db8::1]'])(
  '%s may be',
  async (url) => {
    await expect(tried(url)).resolves.toBe(new URL(url).origin);
  },
);

test('none is a choice, and a parser on this machine reaches loopback', async () => {
  await expect(tried(undefined)).resolves.toContain('polled');
  await expect(tried('http://127.0.0.1:8080', 'http://127.0.0.1:9')).resolves.toContain('8080');
});
