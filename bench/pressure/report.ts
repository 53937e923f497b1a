/** The report for people. */
import type { PressureReport } from '../../test/support/pressure-drill.ts';
import type { Fairness } from './fairness.ts';
import type { LargeDocument } from './large-documents.ts';

export interface Report {
  readonly pressure: PressureReport;
  readonly fairness: readonly Fairness[];
  readonly large: readonly LargeDocument[];
  readonly machine: {
    readonly cores: number;
    readonly load: number | undefined;
    readonly node: string;
  };
}

export function printReport({ pressure, fairness, large, machine }: Report): void {
  const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  row('documents at once', pressure.documents);
  row('  complete', pressure.complete);
  row('  failed', pressure.failed);
  row('  seconds', pressure.seconds.toFixed(1));
  row('  parser: calls', pressure.parserCalls);
  row('  parser: wasted', share(pressure.parserWasted, pressure.parserCalls));
  row('  embedder: calls', pressure.embedderCalls);
  row('  embedder: refused by the script', pressure.embedderForced);
  row('  embedder: wasted', share(pressure.embedderWasted, pressure.embedderCalls));
  for (const { parserMs, quietMs, crowd, besideCrowdMs, crowdLeft } of fairness) {
    row(`one document alone, parser ${parserMs} ms, ms`, quietMs);
    row(`  behind ${crowd} of another, ms`, besideCrowdMs);
    row('  times its quiet time', (besideCrowdMs / quietMs).toFixed(2));
    row('  of those left when it was through', crowdLeft);
  }
  for (const document of large) {
    row(`${document.name} (${document.megabytes} MB)`, document.status);
    row('  pages, chunks', `${document.pages}, ${document.chunks}`);
    row('  seconds', document.seconds.toFixed(1));
    row(
      "  worker's memory before, peak, MB",
      `${document.beforeMegabytes}, ${document.peakMegabytes}`,
    );
    row('  tries lost by silence', document.lostTries);
  }
  console.log(
    `Node ${machine.node}, ${machine.cores} cores, load ${machine.load?.toFixed(1)} at the end.`,
  );
}

function row(name: string, figure: number | string): void {
  console.log(`${name.padEnd(44)}${`${figure}`.padStart(14)}`);
}
