SELECT INVOICEID AS id, "Invoice Number" AS number, "Sales Order Id" AS order_id, "Account Id" AS account_id,
  "Invoice Status" AS status, "Invoice Owner" AS owner, ltc_time("Created Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS created,
  ltc_time("Modified Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS modified,
  ltc_amount("Sub Total", '1,234.56', '$') AS subtotal, ltc_amount("Discount", '1,234.56', '$') AS discount,
  ltc_amount("Tax", '1,234.56', '$') AS tax, ltc_amount("Adjustments", '1,234.56', '$') AS adjustment,
  ltc_amount("Grand Total", '1,234.56', '$') AS grand_total
FROM invoices
