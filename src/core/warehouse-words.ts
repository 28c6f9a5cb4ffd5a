/** Words with which the four warehouses complain about a value: neither names of people nor of places. */
export const WAREHOUSE_WORDS: ReadonlySet<string> = new Set(
  `a aborted accept access according action actual addition after against aggregate all already also although an and any apply argument arguments array
  arrays as at attempt avoid badly bad balanced base64 based be because before begin behind below between binary bind bit bits blob block body bool boolean both
  bound bounds brackets byte bytes by call called can cannot can't capacity case cast casting casts change changed char character characters check child class
  clause close closed code codepoint codepoints collation column columns compare comparison compile compiled concurrent condition conflict
  conflicting constant constraint constraints contain contained contains context conversion convert converted converting could couldn't count create
  csv current data database date dates datetime day days decimal declared decode default defined definition delimiter dereference
  destination detected detail did different digit digits dimension dimensions directory divide divided division does doesn't don't domain
  double due duplicate each element elements empty encode encoded encoding encountered end ended ends enum epoch equal error errors escape evaluate
  evaluating evaluation exceed exceeded exceeds exception execute executing execution exist exists expected explicit exponent expression
  expressions extract extra fail failed failure failures false field fields file float follow followed following for foreign format formats formatting found
  from function functions geography geometry given go greater group groups has have header hex hexadecimal high hour hours hugeint identifier if illegal
  implicit in incompatible incomplete incorrect index infinite infinity input inputs insert inside instead int integer integers internal interpret
  interval into invalid is isn't it item items its iterate javascript json key keys kind large leading least left length less level like limit line list lists
  literal local log logarithm long low malformed many map maps match matched matches matching max maximum memory message method min minimum minute
  minutes mismatch missing modified modulo month months more most must name names nan near need needed needs negative nested no non not null nulls
  number numbers numeric object objects octal of offset on one only opened opening operand operation operator operators opportune option or order ordinal
  other out outside over overflow overflowed overflows pad parameter parameters parentheses parenthesis parse parsed parser parsing path pattern
  perform performing permitted pos position positive possible power precision prefix prevent primary procedure property provided python query range
  ranges read reached real recognized record records recursion reference referenced regex regexp regular relation repetition replacement
  representation represented require required requires result results return returned returning returns right root round row rows runtime same
  scalar scale script second seconds sequence serialize serialized set shape should sign signed simple single size sizes smaller smallint source special specified specifier
  specifiers sql square stack start started starting starts statement step store stored string strings struct structure subqueries subquery subscript
  subtraction such suffix supplied support supported syntax table tables take than that the there this time timestamp timestamps timezone tinyint to token
  too top total trailing transaction trigger true try try_cast truncate truncated trying tuple two type types ubigint udf unable unbalanced
  uncaught undefined underflow unescaped unexpected unicode union unique unit unknown unmatched unrecognized unsigned unsupported
  unterminated update updated use used user using utf-8 utf8 uuid valid value values variable variant vector violate violated violates violation was were when
  where which while width with within without wrong xml year years you your zero zone yyyy-mm-dd hh mm ss us ms yyyy dd
  multiplication integral finite regression row-level arithmetic nothing encounter unnest quantile percentile sample nul surrogate pair quoted quote
  quotes ambiguous ascii latin uncompilable capturing`.split(/\s+/),
);
