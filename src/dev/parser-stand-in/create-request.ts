/** Body of a create call as far as the stand-in heeds it. Other options of the vendor are taken and left aside. */
import { z } from 'zod';

/** Releases that each tier accepts; the first is `latest`. */
export const versions = {
  fast: ['2026-06-15', '2025-12-11'],
  cost_effective: ['2026-08-19', '2026-08-11', '2026-08-08', '2026-07-23'],
  agentic: ['2026-09-07', '2026-08-19', '2026-07-24', '2026-07-23'],
  agentic_plus: ['2026-08-19', '2026-07-08', '2026-06-18', '2026-06-11'],
} as const;
export type Tier = keyof typeof versions;

export const creditsPerPage = {
  fast: 1,
  cost_effective: 3,
  agentic: 10,
  agentic_plus: 45,
} as const satisfies Record<Tier, number>;

const webhook = z.object({
  webhook_url: z.url({ protocol: /^https?$/ }),
  webhook_events: z.array(z.string()).nullish(),
  webhook_headers: z.record(z.string(), z.string()).nullish(),
  webhook_output_format: z.enum(['json', 'string']).nullish(),
  webhook_signing_secret: z.string().nullish(),
});
export type WebhookConfiguration = z.output<typeof webhook>;

const MAX_METADATA_ENTRIES = 20;
const metadata = z
  .record(z.string().max(100), z.string().max(500))
  .refine((entries) => Object.keys(entries).length <= MAX_METADATA_ENTRIES, 'too many entries');

export const createRequest = z
  .object({
    tier: z.enum(Object.keys(versions) as Tier[]),
    version: z.string(),
    file_id: z.string(),
    source_url: z.null().optional(),
    user_metadata: metadata.nullish(),
    webhook_configurations: z.array(webhook).nullish(),
    page_ranges: z
      .object({
        max_pages: z.number().int().positive().nullish(),
        target_pages: z.null().optional(),
      })
      .nullish(),
    disable_cache: z.boolean().nullish(),
    processing_control: z
      .looseObject({
        job_failure_conditions: z
          .looseObject({ allowed_page_failure_ratio: z.number().min(0).max(1).nullish() })
          .nullish(),
      })
      .nullish(),
    output_options: z.unknown().optional(),
    processing_options: z.unknown().optional(),
  })
  .refine(
    ({ tier, version }) =>
      version === 'latest' || (versions[tier] as readonly string[]).includes(version),
    { path: ['version'], error: 'not a version of this tier' },
  );
export type CreateRequest = z.output<typeof createRequest>;

/** A release of `fast` that gives no Markdown. */
export function givesMarkdown({ tier, version }: CreateRequest): boolean {
  return tier !== 'fast' || version !== '2025-12-11';
}
