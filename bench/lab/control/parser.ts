/**
 * The original's calls to LlamaParse. It spoke v1, whose webhook carried the Markdown; v2 sends only ids, so the
 * control's webhook fetches the result.
 */
import { UserFacingError } from './errors.ts';
import type { Endpoint } from './settings.ts';

const TIMEOUT_MS = 300_000;

export async function submitFile(
  parser: Endpoint,
  content: Buffer,
  webhookUrl: string,
): Promise<void> {
  const form = new FormData();
  form.set('file', new File([Uint8Array.from(content)], 'document.md', { type: 'text/markdown' }));
  form.set('purpose', 'parse');
  const file = await call(parser, '/api/v1/beta/files', { method: 'POST', body: form });
  await call(parser, '/api/v2/parse', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      tier: 'cost_effective',
      version: '2026-08-19',
      file_id: (file as { id: string }).id,
      webhook_configurations: [
        {
          webhook_url: webhookUrl,
          webhook_events: ['parse.success', 'parse.error'],
          webhook_output_format: 'json',
        },
      ],
    }),
  });
}

export async function fetchMarkdown(parser: Endpoint, providerJobId: string): Promise<string> {
  const answer = await call(parser, `/api/v2/parse/${providerJobId}?expand=markdown`, {});
  const { markdown } = answer as { markdown: { pages: readonly { markdown: string }[] } };
  return markdown.pages.map((page) => page.markdown).join('\n\n');
}

async function call(parser: Endpoint, path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(`${parser.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${parser.key}`, ...init.headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new UserFacingError('Parsing failed.', codeOf(response.status));
  return await response.json();
}

function codeOf(status: number): string {
  if (status === 429) return 'LLAMAPARSE_RATE_LIMIT_ERROR';
  return status >= 500 ? 'LLAMAPARSE_SERVER_ERROR' : 'LLAMAPARSE_CLIENT_ERROR';
}
