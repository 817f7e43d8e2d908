SELECT payment_entry.name AS id, ltc_id('payment', payment_entry.name) AS payment,
  ltc_needed(customers.customer, 'the customer is not in Customer.json') AS customer,
  ltc_date(posting_date, '%Y-%m-%d') AS paid, ltc_amount(paid_amount, '1234.56') AS amount,
  paid_from_account_currency AS currency, coalesce(lower(ltc_code(mode_of_payment)), 'transfer') AS method, reference_no AS reference
FROM payment_entry LEFT JOIN customers ON customers.id = payment_entry.party
WHERE docstatus = '1' AND payment_type = 'Receive' AND party_type = 'Customer'
