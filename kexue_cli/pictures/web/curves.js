// Values by epoch, a small chart for each name.

const CHART = { width: 300, height: 150, left: 58, right: 12, top: 12, bottom: 26 }; // units of the picture

function scaled(value, low, high, from, to) {
  return high > low ? from + ((value - low) / (high - low)) * (to - from) : (from + to) / 2;
}

function chart(name, epochs, values) {
  const points = epochs.map((epoch, i) => [epoch, values[i]]).filter(([, value]) => Number.isFinite(value));
  if (!points.length) return '';
  const known = points.map(([, value]) => value);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
  const [right, bottom] = [CHART.width - CHART.right, CHART.height - CHART.bottom];
  const x = (epoch) => scaled(epoch, first, last, CHART.left, right);
  const y = (value) => scaled(value, low, high, bottom, CHART.top);
  const path = points.map(([epoch, value], i) => `${i ? 'L' : 'M'}${x(epoch).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const ticks = [...new Set([low, high])].map((value) => svg('text', { x: CHART.left - 6, y: y(value) + 4, class: 'y' }, shownNumber(value)));
  const epochTicks = [...new Set([first, last])].map((epoch) => svg('text', { x: x(epoch), y: bottom + 17, class: 'x' }, shownNumber(epoch)));
  const dots = points.length > 60 ? [] : points.map(([epoch, value]) => svg('circle', { cx: x(epoch), cy: y(value), r: 3 }, svg('title', {}, `epoch ${epoch}: ${shownNumber(value)}`)));
  return make(
    'figure',
    {},
    make('figcaption', {}, quoted(name)),
    svg(
      'svg',
      { viewBox: `0 0 ${CHART.width} ${CHART.height}`, class: 'curve', 'aria-hidden': 'true' },
      svg('path', { class: 'axis', d: `M${CHART.left} ${CHART.top}V${bottom}H${right}` }),
      svg('path', { class: 'curve', d: path }),
      ...dots,
      ...ticks,
      ...epochTicks,
    ),
  );
}

function drawCurves(block) {
  return make('section', { class: 'curves' }, ...block.curves.map(([name, values]) => chart(name, block.epochs, values)));
}
