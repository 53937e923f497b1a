/** The parser must be able to reach the webhook: from where it is. */
import { isLoopback } from '../../../config.ts';
import { type Check, Ill } from '../check.ts';

export const callbackUrl: Check = {
  name: 'callback: URL',
  mend: {
    'not public':
      'Set PUBLIC_URL to the https address under which the parser reaches the API, or take it away: then results are polled.',
  },
  run: async ({ config }) => {
    const { PUBLIC_URL, LLAMA_CLOUD_BASE_URL } = config;
    if (PUBLIC_URL === undefined) return 'none: results are polled';
    const { hostname, protocol, origin } = new URL(PUBLIC_URL);
    if (isLoopback(new URL(LLAMA_CLOUD_BASE_URL).hostname))
      return `${origin}, for a parser on this machine`;
    if (isPrivate(hostname))
      throw new Ill('not public', `${hostname} is reached from within alone`);
    if (protocol !== 'https:')
      throw new Ill('not public', `${origin}: the parser calls https alone`);
    return origin;
  },
};

/** Addresses and names that mean nothing outside. */
function isPrivate(host: string): boolean {
  const addresses = /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[(f[cd]|fe80))/;
  const names = /(^[^.:]+|\.(local|internal|lan|test|localhost))$/;
  return isLoopback(host) || addresses.test(host) || names.test(host);
}
