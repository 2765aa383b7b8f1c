// Package javatext prints and reads dates as java.text.SimpleDateFormat does, whose patterns configurations hold.
//
// Numbers need nothing of their own here: connect.AppendValue prints them, and connect.Decimal reads and prints
// BigDecimal.
package javatext
