/** Bars, one below the other, as SVG that reads on a light page and on a dark one. */

export interface Bar {
  readonly label: string;
  /** Not negative; `undefined` draws none. */
  readonly value: number | undefined;
  /** The value in words. */
  readonly text: string;
}

export interface Chart {
  readonly title: string;
  /** What is better, and the target. */
  readonly note: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 640;
const LABEL_WIDTH = 170;
const BAR_WIDTH = 300;
const BAR_HEIGHT = 24;
const ROW_HEIGHT = 36;
const HEAD_HEIGHT = 60;

const style = `
  text { font: 14px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .note { font-size: 12px; fill: #59636e; }
  .bar { fill: #8c959f; } .bar:last-of-type { fill: #1a7f37; }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .note { fill: #9198a1; } .bar { fill: #6e7681; } .bar:last-of-type { fill: #3fb950; } }`;

/** The last bar is ours and has a colour of its own. */
export function drawBars({ title, note, bars }: Chart): string {
  const most = Math.max(...bars.map(({ value = 0 }) => value)) || 1;
  const height = HEAD_HEIGHT + bars.length * ROW_HEIGHT;
  const rows = bars.map(({ label, value = 0, text }, index) => {
    const top = HEAD_HEIGHT + index * ROW_HEIGHT;
    const width = Math.round((value / most) * BAR_WIDTH);
    const middle = top + BAR_HEIGHT / 2 + 5;
    return {
      bar: `<rect class="bar" x="${LABEL_WIDTH}" y="${top}" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`,
      words: `<text x="12" y="${middle}">${escape(label)}</text><text x="${LABEL_WIDTH + width + 8}" y="${middle}">${escape(text)}</text>`,
    };
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${style}</style>`,
    `<text class="title" x="12" y="24">${escape(title)}</text>`,
    `<text class="note" x="12" y="44">${escape(note)}</text>`,
    ...rows.map(({ bar }) => bar),
    ...rows.map(({ words }) => words),
    '</svg>',
    '',
  ].join('\n');
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
