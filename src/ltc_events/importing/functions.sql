-- The functions that mappings have beside DuckDB's own. Each that may refuse a cell has two macros: the value, which is NULL for
-- what is not certain, and NAME_refusals, which says why; `lineage` calls the second beside the first. All are pure SQL, so
-- that DuckDB works through columns at a time.

CREATE MACRO ltc_none() AS CAST([] AS STRUCT("row" BIGINT, "column" VARCHAR, "value" VARCHAR, code VARCHAR, want VARCHAR)[]);
CREATE MACRO ltc_or_none(refusals) AS coalesce(refusals, ltc_none());
CREATE MACRO ltc_has(refusals) AS coalesce(len(refusals), 0) > 0;
CREATE MACRO ltc_refusal(origin, place, shown, code, want) AS
  [{'row': CAST(origin AS BIGINT), 'column': place, 'value': CAST(shown AS VARCHAR), 'code': code, 'want': CAST(want AS VARCHAR)}];

-- ids: UUIDs of version 5 from the namespace, the kind and the key
CREATE MACRO ltc_uuid_of(digest) AS CAST(
  substr(digest, 1, 12) || '5' || substr(digest, 14, 3)
  || substr('89ab', (strpos('0123456789abcdef', substr(digest, 17, 1)) - 1) % 4 + 1, 1) || substr(digest, 18, 15) AS UUID);
CREATE MACRO ltc_id_of(path) AS ltc_uuid_of(sha1(from_hex('{id_namespace}') || encode('import' || chr(31) || '{namespace}' || chr(31) || path)));
CREATE MACRO ltc_id
  (kind, a) AS ltc_id_of(kind || chr(31) || CAST(a AS VARCHAR)),
  (kind, a, b) AS ltc_id_of(kind || chr(31) || CAST(a AS VARCHAR) || chr(31) || CAST(b AS VARCHAR)),
  (kind, a, b, c) AS ltc_id_of(
    kind || chr(31) || CAST(a AS VARCHAR) || chr(31) || CAST(b AS VARCHAR) || chr(31) || CAST(c AS VARCHAR)),
  (kind, a, b, c, d) AS ltc_id_of(
    kind || chr(31) || CAST(a AS VARCHAR) || chr(31) || CAST(b AS VARCHAR) || chr(31) || CAST(c AS VARCHAR)
    || chr(31) || CAST(d AS VARCHAR));

-- numbers: `formats` writes the patterns of its forms in place of a call's forms, as a pattern that is put together anew wherever a
-- call names it takes longer to plan than the rows take to read. DuckDB shows mistakes by the calls themselves.
-- A cast to sixteen bytes takes fifty times as long as one to eight, which nine digits before the point fit in.
CREATE MACRO ltc_exact(bare) AS
  coalesce(CAST(TRY_CAST(bare AS DECIMAL(18, 9)) AS DECIMAL(27, 9)), TRY_CAST(bare AS DECIMAL(27, 9)));
CREATE MACRO ltc_amount
  (cell, form) AS ltc_exact(cell),
  (cell, form, a) AS ltc_exact(cell),
  (cell, form, a, b) AS ltc_exact(cell),
  (cell, form, a, b, c) AS ltc_exact(cell);
CREATE MACRO ltc_bare(cell, digits, separator, point) AS replace(replace(regexp_extract(cell, digits), separator, ''), point, '.');
CREATE MACRO ltc_fits(bare) AS regexp_full_match(bare, '0*[0-9]{1,18}(?:\.[0-9]{0,9}0*)?');
CREATE MACRO ltc_number(cell, written, digits, separator, point) AS CASE
  WHEN regexp_matches(cell, written) AND ltc_fits(ltc_bare(cell, digits, separator, point)) THEN
    ltc_exact(CASE WHEN regexp_matches(cell, '[-(\x{2212}]') THEN '-' ELSE '' END || ltc_bare(cell, digits, separator, point)) END;
CREATE MACRO ltc_number_refusals(origin, place, cell, readings, written, want) AS
  CASE WHEN cell IS NOT NULL AND len(readings) <> 1 THEN ltc_refusal(origin, place, cell,
    CASE WHEN len(readings) > 1 THEN 'ambiguous_number' WHEN regexp_matches(cell, written) THEN 'number_too_long'
      ELSE 'not_a_number' END, want) END;
CREATE MACRO ltc_integer(cell) AS
  CASE WHEN regexp_full_match(cell, '[-+]?[0-9]{1,18}') THEN TRY_CAST(cell AS BIGINT) END;
CREATE MACRO ltc_integer_refusals(origin, place, cell) AS CASE WHEN cell IS NOT NULL AND ltc_integer(cell) IS NULL
  THEN ltc_refusal(origin, place, cell, 'not_whole', '1234') END;
CREATE MACRO ltc_round(amount, places) AS round(amount, places);
CREATE MACRO ltc_scaled(a) AS CAST(CAST(a AS DECIMAL(27, 9)) * 1000000000 AS HUGEINT);
CREATE MACRO ltc_div(a, b, places) AS CASE WHEN b <> 0 THEN
  CAST(sign(a) * sign(b) * (2 * abs(ltc_scaled(a)) * list_extract(
      [1::HUGEINT, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000], places + 1)
    + abs(ltc_scaled(b))) // (2 * abs(ltc_scaled(b))) AS DECIMAL(28, 0))
  * list_extract([1::DECIMAL(10, 9), 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001, 0.0000001, 0.00000001, 0.000000001],
    places + 1) END;
CREATE MACRO ltc_div_refusals(origin, place, a, b, places) AS
  CASE WHEN b = 0 THEN ltc_refusal(origin, place, b, 'division_by_zero', '') END;

-- dates and times, by formats of strptime; several forms may be listed, and a cell that two of them read differently is refused
CREATE MACRO ltc_moment(cell, form) AS
  CASE WHEN year(try_strptime(cell, form)) BETWEEN 1000 AND 9999 THEN CAST(try_strptime(cell, form) AS TIMESTAMP) END;
CREATE MACRO ltc_readings(readings) AS list_distinct(list_filter(readings, lambda reading: reading IS NOT NULL));
CREATE MACRO ltc_only(readings) AS CASE WHEN len(readings) = 1 THEN readings[1] END;
CREATE MACRO ltc_unread(origin, place, cell, readings, forms) AS CASE WHEN cell IS NOT NULL AND len(readings) <> 1
  THEN ltc_refusal(origin, place, cell, CASE WHEN len(readings) = 0 THEN 'not_a_date' ELSE 'ambiguous_date' END, forms) END;
CREATE MACRO ltc_moments
  (cell, form, form2) AS ltc_readings([ltc_moment(cell, form), ltc_moment(cell, form2)]),
  (cell, form, form2, form3) AS ltc_readings([ltc_moment(cell, form), ltc_moment(cell, form2), ltc_moment(cell, form3)]);
CREATE MACRO ltc_time
  (cell, form) AS ltc_moment(cell, form),
  (cell, form, form2) AS ltc_only(ltc_moments(cell, form, form2)),
  (cell, form, form2, form3) AS ltc_only(ltc_moments(cell, form, form2, form3));
CREATE MACRO ltc_date
  (cell, form) AS CAST(ltc_moment(cell, form) AS DATE),
  (cell, form, form2) AS CAST(ltc_time(cell, form, form2) AS DATE),
  (cell, form, form2, form3) AS CAST(ltc_time(cell, form, form2, form3) AS DATE);
CREATE MACRO ltc_instant(cell, form) AS CASE WHEN year(try_strptime(regexp_replace(cell, 'Z$', '+00:00'), form)) BETWEEN 1000 AND 9999
  THEN CAST(try_strptime(regexp_replace(cell, 'Z$', '+00:00'), form) AS TIMESTAMPTZ) END;
CREATE MACRO ltc_time_refusals
  (origin, place, cell, form) AS ltc_unread(origin, place, cell, ltc_readings([ltc_moment(cell, form)]), form),
  (origin, place, cell, form, form2) AS
    ltc_unread(origin, place, cell, ltc_moments(cell, form, form2), form || ' or ' || form2),
  (origin, place, cell, form, form2, form3) AS
    ltc_unread(origin, place, cell, ltc_moments(cell, form, form2, form3), form || ' or ' || form2 || ' or ' || form3);
CREATE MACRO ltc_date_refusals
  (origin, place, cell, form) AS ltc_unread(origin, place, cell, ltc_readings([ltc_moment(cell, form)]), form),
  (origin, place, cell, form, form2) AS
    ltc_unread(origin, place, cell, ltc_moments(cell, form, form2), form || ' or ' || form2),
  (origin, place, cell, form, form2, form3) AS
    ltc_unread(origin, place, cell, ltc_moments(cell, form, form2, form3), form || ' or ' || form2 || ' or ' || form3);
CREATE MACRO ltc_instant_refusals(origin, place, cell, form) AS CASE WHEN cell IS NOT NULL AND ltc_instant(cell, form) IS NULL
  THEN ltc_refusal(origin, place, cell, 'not_a_date', form) END;

-- a local time in UTC: NULL where clocks skipped it; of a time that they showed twice, the first
CREATE MACRO ltc_local(instant) AS instant AT TIME ZONE '{zone}';
CREATE MACRO ltc_first(instant, local, shift) AS CASE WHEN ltc_local(instant - shift) = local THEN instant - shift
  WHEN ltc_local(instant) = local THEN instant END;
CREATE MACRO ltc_utc(local) AS CASE WHEN '{zone}' = 'UTC' THEN local
  ELSE ltc_first(local AT TIME ZONE '{zone}', local, INTERVAL 1 HOUR) AT TIME ZONE 'UTC' END;
CREATE MACRO ltc_iso(utc) AS replace(strftime(utc, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z');

-- words
CREATE MACRO ltc_boolean(cell) AS CASE WHEN lower(cell) IN ('true', 'yes', 'y', '1') THEN true
  WHEN lower(cell) IN ('false', 'no', 'n', '0') THEN false END;
CREATE MACRO ltc_boolean_refusals(origin, place, cell) AS CASE WHEN cell IS NOT NULL AND ltc_boolean(cell) IS NULL
  THEN ltc_refusal(origin, place, cell, 'not_a_boolean', 'true, yes, y, 1, false, no, n, 0') END;
CREATE MACRO ltc_uuid(cell) AS TRY_CAST(cell AS UUID);
CREATE MACRO ltc_uuid_refusals(origin, place, cell) AS CASE WHEN cell IS NOT NULL AND ltc_uuid(cell) IS NULL
  THEN ltc_refusal(origin, place, cell, 'not_a_uuid', '') END;
CREATE MACRO ltc_is_email(cell) AS regexp_matches(cell, '{email}') AND NOT regexp_matches(lower(cell), '{reserved}');
CREATE MACRO ltc_email(cell) AS CASE WHEN ltc_is_email(cell) THEN cell END;
CREATE MACRO ltc_email_refusals(origin, place, cell) AS CASE WHEN cell IS NOT NULL AND NOT ltc_is_email(cell)
  THEN ltc_refusal(origin, place, cell, 'not_an_email', '') END;
CREATE MACRO ltc_is_phone(cell) AS regexp_matches(cell, '{phone}')
  AND len(regexp_replace(cell, '[^0-9]', '', 'g')) BETWEEN 6 AND 15;
CREATE MACRO ltc_phone(cell) AS CASE WHEN ltc_is_phone(cell) THEN cell END;
CREATE MACRO ltc_phone_refusals(origin, place, cell) AS CASE WHEN cell IS NOT NULL AND NOT ltc_is_phone(cell)
  THEN ltc_refusal(origin, place, cell, 'not_a_phone', '') END;
CREATE MACRO ltc_code(cell) AS
  nullif(left(regexp_replace(regexp_replace(cell, '[^A-Za-z0-9._:/ -]+', '-', 'g'), '^[-. :/]+|[-. :/]+$', '', 'g'), 80), '');
CREATE MACRO ltc_needed
  (found) AS found,
  (found, reason) AS found;
CREATE MACRO ltc_needed_refusals
  (origin, place, found) AS CASE WHEN found IS NULL THEN ltc_refusal(origin, place, NULL, 'empty_value', '') END,
  (origin, place, found, reason) AS CASE WHEN found IS NULL THEN ltc_refusal(origin, place, NULL, 'missing_row', reason) END;
CREATE MACRO ltc_refuse(applies, reason, fix) AS CAST(NULL AS VARCHAR);
CREATE MACRO ltc_refuse_refusals(origin, place, applies, reason, fix) AS
  CASE WHEN applies THEN ltc_refusal(origin, place, '', 'refused_by_mapping', reason || chr(31) || fix) END;
