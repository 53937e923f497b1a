/** What is asked of LlamaParse for every document: the part of a create call that no document changes. */
import { createHash } from 'node:crypto';
import type LlamaCloud from '@llamaindex/llama-cloud';

export type CreateParams = Parameters<LlamaCloud['parsing']['create']>[0];

export interface JobSettings {
  readonly tier: 'fast' | 'cost_effective' | 'agentic' | 'agentic_plus';
  /** A dated release: `latest` would change results under us. */
  readonly version: string;
  readonly maxPages: number;
  readonly maxFailedPagesPercent: number;
}

/** Without these a job has no limit of its own; our deadline cancels sooner where it is shorter. */
const JOB_TIMEOUT_SECONDS = 1_800;
const JOB_EXTRA_SECONDS_PER_PAGE = 10;

export function jobOptions(settings: JobSettings) {
  return {
    tier: settings.tier,
    version: settings.version,
    // The vendor cuts at this number without a word: one page more than we take makes an excess visible.
    page_ranges: { max_pages: settings.maxPages + 1 },
    output_options: {
      images_to_save: [],
      // `fast` refuses Markdown options.
      ...(settings.tier === 'fast'
        ? {}
        : { markdown: { tables: { output_tables_as_markdown: true } } }),
    },
    processing_control: {
      timeouts: {
        base_in_seconds: JOB_TIMEOUT_SECONDS,
        extra_time_per_page_in_seconds: JOB_EXTRA_SECONDS_PER_PAGE,
      },
      job_failure_conditions: {
        allowed_page_failure_ratio: settings.maxFailedPagesPercent / 100,
      },
    },
  } as const satisfies CreateParams;
}

/** The same fingerprint means that the same file would be read in the same way. */
export function fingerprint(options: ReturnType<typeof jobOptions>): string {
  return createHash('sha256').update(JSON.stringify(options)).digest('hex');
}

/** One entry only: a copy of the vendor's documentation says that the others are not used. */
export function webhookConfiguration(
  callbackUrl: string,
  signingSecret: string,
): Pick<CreateParams, 'webhook_configurations'> {
  return {
    webhook_configurations: [
      {
        webhook_url: callbackUrl,
        webhook_events: [
          'parse.success',
          'parse.error',
          'parse.partial_success',
          'parse.cancelled',
        ],
        webhook_output_format: 'json',
        webhook_signing_secret: signingSecret,
      },
    ],
  };
}
