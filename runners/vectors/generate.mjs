// Writes the tables that the tests hold our lodash and our Moment formats against:
//
//     npm install && npm run generate
//
// Each row is one call of the real library: tab-separated, operands as JSON text. The
// texts are handed on as they stand here, so that both sides parse `-0` or
// 9007199254740993 themselves. `undefined`, `NaN` and `Infinity`, which JSON lacks, stand
// for themselves.

import { writeFileSync } from 'node:fs';
import _ from 'lodash';
import moment from 'moment-timezone';

const NOT_JSON = { undefined, NaN, Infinity, '-Infinity': -Infinity };
const parse = (text) => (text in NOT_JSON ? NOT_JSON[text] : JSON.parse(text));

/** JSON that keeps -0, in UTF-8; null for functions, which are no data. */
function write(value) {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'function' || typeof value === 'symbol') return null;
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
  return JSON.stringify(value) ?? 'undefined';
}

const numbers = [
  '0', '-0', '1', '1.0', '-1', '2', '3.5', '9', '10', '0.1', '0.30000000000000004', '1e3', '1e21', '1e-7',
  '123456789012345680000', '9007199254740992', '9007199254740993', '-9007199254740993',
  '18446744073709551615', '1.7976931348623157e308', '5e-324',
];
const strings = [
  '', ' ', '\t\n', '0', '-0', '1', '10', '9', ' 10 ', '3.5', '1e3', '1E+3', '1e400', '0x1F', '0X1f', '0x',
  '0b101', '0B2', '0o17', '0o8', '-0x10', '+0b1', 'Infinity', '-Infinity', '+Infinity', 'infinity', 'inf',
  'NaN', '1_000', '.5', '5.', '.', '+5', '--5', '5e', 'e5', '\u00a05\ufeff', '\u00855', '\u20285\u3000', '٣',
  '9007199254740993', '0x20000000000001', 'a', 'b', 'B', 'abc', 'bc', 'ab', 'ä', 'a\u0308', '😀', '😀b', '\uffff', '\ue000',
  'null', 'undefined', 'true', 'false', '[object Object]', '1,2', 'a,b', ',', 'a.b', 'a[0].b', 'length',
].map((text) => JSON.stringify(text));
const arrays = [
  '[]', '[0]', '[-0]', '[1]', '[10]', '[null]', '[[]]', '[[5]]', '["10"]', '[" 7 "]', '["0x10"]', '[true]', '[""]',
  '[1,2]', '[2,1]', '["a","b"]', '["a","b","c"]', '[null,null]', '[1,[2,[3]]]', '[1e21]', '[{"a":1}]', '[{"a":1},{"a":1,"b":2}]',
  '["a.b"]', '["a","b","length"]',
];
const objects = [
  '{}', '{"a":1}', '{"a":1.0}', '{"a":null}', '{"b":2,"a":1}', '{"a":1,"b":2}', '{"a":{"b":1}}', '{"a":{"b":1,"c":2}}',
  '{"a":{}}', '{"a":[]}', '{"a":[1,2,3]}', '{"a":[3,1]}', '{"a":[{"b":1},{"b":1,"c":2}]}', '{"a":[{"b":1},{"b":1}]}', '{"a":"abc"}',
  '{"length":0}', '{"length":2}', '{"length":2,"0":"a","1":"b"}', '{"length":1.5,"0":"a"}', '{"length":-1,"0":"a"}', '{"length":3,"0":"a"}',
  '{"length":"2"}', '{"0":"a"}', '{"0":"a","1":"b"}', '{"a.b":1}', '{"":1}', '{"null":1,"undefined":2,"true":3}', '{"[object Object]":1}',
];
const others = ['null', 'undefined', 'true', 'false', 'NaN', 'Infinity', '-Infinity'];
const everything = [...numbers, ...strings, ...arrays, ...objects, ...others];

/** A generator of numbers that is the same everywhere (Numerical Recipes' constants). */
let state = 1;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const pick = (list) => list[random(list.length)];
const cross = (left, right) => left.flatMap((a) => right.map((b) => [a, b]));
const sample = (count, left, right) => Array.from({ length: count }, () => [pick(left), pick(right)]);
const diagonal = (list) => list.map((a) => [a, a]);

const few = ['0', '-0', '1', '10', '"10"', '"9"', '""', '"abc"', 'null', 'undefined', 'NaN', 'true', '[]', '[1]', '{}', '{"a":1}'];
const paths = [
  '"a"', '"a.b"', '"a[0]"', '"a[0].b"', '"length"', '"0"', '0', '1', '-0', '1.5', '"00"', '"-1"', 'true', 'null', 'undefined', '[]',
  '["a"]', '["a","b"]', '["a.b"]', '["a",0,"b"]', '["a",[0]]', '["a",null]', '[["a","b"]]', '""', '"."', '"[]"', '{"a":1}', '"a.length"', '"a.b.c"',
];
const ranges = ['[1,5]', '[5,1]', '["1","10"]', '[0,null]', '[null,0]', '[-0,0]', '[3.5,"x"]', '["-Infinity","Infinity"]'];

const order = () => [
  ...cross(few, few), ...diagonal(everything),
  ...sample(150, [...numbers, ...strings, ...others], [...numbers, ...strings, ...others]),
  ...sample(60, strings, strings), ...sample(60, everything, everything),
];
const search = () => [
  ...cross(few, few), ...diagonal(everything), ...sample(60, strings, strings), ...sample(150, everything, everything),
];

const binary = {
  eq: search(),
  isEqual: [...search(), ...cross(objects, objects.slice(0, 14)), ...cross(arrays, arrays.slice(0, 12))],
  gt: order(), gte: order(), lt: order(), lte: order(),
  includes: [
    ...search(), ...cross([...arrays, ...objects, ...strings.slice(-24)], ['"a"', '"b"', '1', '0', '-0', 'null', 'undefined', '"abc"', '""', '[1]', '{"a":1}', '2']),
  ],
  startsWith: search(), endsWith: search(),
  has: [...cross([...objects, ...arrays, '"abc"', '"😀b"', '5', 'null', 'undefined'], paths)],
  inRange: [...order(), ...cross([...numbers, ...strings.slice(0, 42), ...others], ranges)],
  isMatch: [
    ...search(), ...cross([...objects, "[1,2]", "[2,1]", JSON.stringify("abc"), JSON.stringify("😀b"), "null", "undefined", "5"], [...objects, ...arrays.slice(0, 4), JSON.stringify("ab"), JSON.stringify("a"), JSON.stringify("😀")]),
    ...cross(arrays, arrays.slice(-10)),
  ],
};
const unary = [
  'isArray', 'isBoolean', 'isEmpty', 'isFinite', 'isInteger', 'isNaN', 'isNil', 'isNull', 'isNumber', 'isObject',
  'isPlainObject', 'isString', 'isUndefined',
];

/** Rungs' one extension: a pair is a start and an end. */
function call(command, value, compareTo) {
  if (command === 'inRange' && Array.isArray(compareTo) && compareTo.length === 2) {
    return _.inRange(value, ...compareTo);
  }
  return _[command](value, compareTo);
}

const rows = new Set();
for (const [command, pairs] of Object.entries(binary)) {
  for (const [a, b] of pairs) rows.add([command, a, b, call(command, parse(a), parse(b))].join('\t'));
}
for (const command of unary) {
  for (const a of everything) rows.add([command, a, 'undefined', _[command](parse(a))].join('\t'));
}
save('predicates.tsv', `lodash ${_.VERSION}: command, value, compareTo, result`, rows);

const roots = [
  '{"a":{"b":{"c":1}},"a.b":2,"a[0].b":3,"list":[10,{"x":[null,"y"]},[1,2]],"":{"":5,"a":6},"text":"a😀é","null":null,"0":"zero","-0":"minus","1.5":"half","b c":7,"a]":8,"x[":9,"1":{"2":11},"length":4,"true":false,"-1":"neg"}',
  '{"a":[{"b":{"c":3}}],"x":{"y.z":{"w":1},"y":{"z":2},"it\'s":4,"\\\\":5,"\\"":6},"list":[[["deep"]]],"a..b":1,".a":2,"a.":3}',
  '[1,[2,3],{"a":"b"},null,"text"]', '"text"', '5', 'true', 'null', 'undefined', '{}',
];
const gets = [
  'a', 'a.b', 'a.b.c', 'a[b]', 'a["b"]', "a['b']", 'a[\'b\'].c', '["a"]', "['a']", '["a.b"]', '[a]', 'a[0].b', 'a[0].b.c', 'a[0][b][c]', 'list[0]', 'list.0',
  'list[1].x[1]', 'list[1].x[0]', 'list[1].x[0].y', 'list[-1]', 'list["-1"]', 'list[00]', 'list["0"]', 'list[0.5]', 'list[1.0]', 'list.length', 'list[2].length',
  'list[0][0][0]', 'text', 'text.length', 'text[0]', 'text[1]', 'text.3', 'text[3]', 'text[9]', 'text[0].length', 'text[0][0][0]', '', '.', '..', '.a', '..a', 'a.', 'a..b', 'a...b',
  '[]', '[].a', 'a[]', 'a[][]', 'a[].b', '[][a]', 'null', 'null.a', '0', '[0]', '[1][0]', '[1][2]', '[2].a', '-0', '[-0]', '1.5', '[1.5]', '["1.5"]', 'b c', 'b c.d', 'a]', 'x[', 'x[.y', '[[a]]', '[[0]]', '[.]', '.[', '.]',
  'x["y.z"]', "x['y.z'].w", 'x.y.z', 'x["it\'s"]', "x['it\\'s']", 'x["\\\\"]', 'x["\\""]', 'x["y', "x['y", 'x["y"', "x['y\"]", 'x["y"]z', 'x["y"].z', 'x[y]z', 'x[\'y\'][\'z\']', 'a["b"]["c"]',
  '1[2]', '1.2', '[1]["2"]', 'length', 'length.length', 'true', 'missing', 'missing.deep[0]', '-1', '[-1]', '["-1"]', '[-]', '[1', '1]', ' a', 'a b[0]', '\ta.b', 'ä.b', '😀', 'a[ 0 ]', 'list[ 0 ]', 'list[+0]', 'list[1e0]', 'list[01]',
].map((path) => JSON.stringify(path)).concat([
  '[]', '["a"]', '["a","b"]', '["a.b"]', '["a","b","c"]', '["list",0]', '["list","0"]', '["list",1,"x",1]', '["list",-1]', '["list",1.5]', '["list","length"]', '[""]', '["",""]', '["",""," "]',
  '["text",0]', '["text",1]', '["text","length"]', '[0]', '[-0]', '["-0"]', '[1.5]', '[1,0]', '["x","y.z","w"]', '["x","y","z"]', '["null"]', '["null","a"]', '["b c"]', '["a..b"]', '[".a"]', '[1e21]', '[4,0]', '[3]', '[3,0]', '[2,"a"]',
  '["list",4294967295]', '[9007199254740993]',
]);
const found = new Set();
for (const root of roots) {
  for (const path of gets) {
    const value = write(_.get(parse(root), parse(path)));
    if (value !== null) found.add(['get', root, path, value].join('\t'));
    found.add(['has', root, path, _.has(parse(root), parse(path))].join('\t'));
  }
}
save('paths.tsv', `lodash ${_.VERSION}: function, object, path, result`, found);

const zones = ['UTC', 'Europe/Zagreb', 'America/New_York', 'Asia/Kathmandu'];
const instants = [
  0, 951782399, 1704067199, 1704067200, 1709164800, 1711846800, 1719843723, 1730000000, 1735689599, 1735732800, 1767225599, 1798675200, 946684800.125, 1714521600.987,
];
const formats = [
  'YYYY-MM-DD HH:mm', 'dddd', 'MMMM D', 'dddd, MMMM Do YYYY, h:mm:ss a', 'M Mo MM MMM MMMM', 'Q Qo', 'D Do DD', 'DDD DDDo DDDD', 'd do dd ddd dddd', 'e E',
  'w wo ww', 'W Wo WW', 'YY YYYY YYYYYY Y', 'gg gggg', 'GG GGGG', 'a A', 'H HH h hh k kk', 'm mm s ss', 'S SS SSS SSSS', 'z zz', 'Z ZZ', 'X x', 'hmm hmmss Hmm Hmmss',
  'LT LTS', 'L l', 'LL ll', 'LLL lll', 'LLLL llll', '[today is] dddd', '[YYYY] YYYY', 'YYYY[ escaped ]MM', '\\MM', '\\LL L', '[a] b] c', '[a[b]c]', '[]x', 'DD.MM.YYYY.', 'D. M. YYYY. [u] H:mm', 'YYYY-MM-DDTHH:mm:ssZ', 'HH[h]mm', '[unclosed YYYY', 'MMMMM', 'ddddd', 'HHH', '', 'čas HH 😀',
];
const dates = new Set();
for (const zone of zones) {
  for (const instant of instants) {
    for (const format of formats) {
      if (format === '') continue;
      const text = moment.tz(instant * 1000, zone).format(format);
      dates.add([zone, instant, JSON.stringify(format), JSON.stringify(text)].join('\t'));
    }
  }
}
save('dates.tsv', `Moment ${moment.version}: zone, Unix seconds, format, result`, dates);

function save(name, head, lines) {
  writeFileSync(new URL(name, import.meta.url), `# ${head}\n${[...lines].join('\n')}\n`);
  console.error(`${name}: ${lines.size} rows`);
}
