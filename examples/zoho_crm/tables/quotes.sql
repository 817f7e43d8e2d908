SELECT QUOTEID AS id, ltc_id('quote', QUOTEID) AS quote, Subject AS subject_line, "Quote Owner" AS owner, "Quote Stage" AS stage,
  "Quote Stage" IN ('Confirmed', 'Closed Won', 'Delivered') AS accepted,
  ltc_time("Created Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS created,
  ltc_time("Modified Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS modified,
  CAST(ltc_time("Valid Till", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS DATE) AS valid_until,
  ltc_amount("Sub Total", '1,234.56', '$') AS subtotal, ltc_amount("Discount", '1,234.56', '$') AS discount
FROM quotes
