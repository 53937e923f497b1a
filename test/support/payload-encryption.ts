/** With `INTAKE_TEST_PAYLOAD_ENCRYPTION=on` every stack and road of the tests encrypts its payloads. */
import { randomBytes } from 'node:crypto';

export const payloadEncryption: Readonly<Record<string, string>> =
  process.env['INTAKE_TEST_PAYLOAD_ENCRYPTION'] === 'on'
    ? {
        PAYLOAD_ENCRYPTION: 'on',
        PAYLOAD_ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
      }
    : {};
