"""Refusals in words: every language, and answers about what cannot be done."""

import time

import pytest

from app.analysis.recorded.refusal_text import says_refusal

REFUSALS = {
    "english": """I'm sorry, but I can't help with that.
        I’d prefer not to draft this letter.
        I am not able to translate graphic content.
        I must decline to evaluate individual employees.
        I cannot provide an opinion on medication.
        I won't be able to summarise this interview.
        I'm not comfortable writing about this.
        I'm unable to compare competing banks.
        I'm not in a position to rate applicants.""",
    "german": """Dabei kann ich leider nicht helfen.
        Ich möchte diesen Brief lieber nicht verfassen.
        Ich kann diesen Befund nicht auswerten.
        Ich darf keine Angaben zu Patienten verarbeiten.
        Ich bin nicht in der Lage, diesen Text zu übersetzen.
        Diese beiden Tarife kann ich leider nicht vergleichen, das wäre Beratung.
        Ich lehne diese Aufgabe ab.""",
    "dutch": """Daar kan ik je niet bij helpen.
        Ik kan deze brief helaas niet schrijven.
        Ik mag geen medische gegevens verwerken.
        Ik kan deze tekst niet vertalen vanwege de inhoud.
        Ik wil deze producten liever niet vergelijken.
        Ik ben niet bevoegd om dit te beoordelen.""",
    "french": """Je suis désolé, mais je ne peux pas vous aider avec cette demande.
        Je préfère ne pas traduire ce passage.
        Je ne suis pas en mesure de comparer ces assurances.
        Il m'est impossible d'analyser ce dossier.
        Je ne peux malheureusement pas traiter cette demande.
        Je regrette, mais je ne peux accéder à cette demande.
        Je ne souhaite pas rédiger ce message.""",
    "spanish": """Lo siento, no puedo ayudar con eso.
        Prefiero no redactar esta carta.
        No me es posible comparar productos financieros.
        No puedo procesar datos de salud de terceros.
        Lamentablemente no puedo en este caso traducir el fragmento.
        Me niego a evaluar a los candidatos.""",
    "portuguese": """Desculpe, mas não posso ajudá-lo com isso.
        Prefiro não redigir esta carta.
        Não estou autorizado a avaliar candidatos.
        Não posso processar informações de saúde.
        Não consigo comparar seguros de concorrentes.""",
    "italian": """Mi dispiace, ma non posso aiutarti con questa richiesta.
        Preferisco non scrivere questa lettera.
        Non sono in grado di tradurre questo brano.
        Non posso elaborare dati sanitari.
        Non mi è possibile valutare i candidati.""",
    "romanian": """Îmi pare rău, dar nu te pot ajuta cu asta.
        Prefer să nu scriu această scrisoare.
        Nu pot traduce acest fragment.
        Nu am voie să evaluez candidați.
        Nu pot procesa date medicale.""",
    "swedish": """Tyvärr kan jag inte hjälpa till med det.
        Jag vill helst inte skriva det här brevet.
        Jag kan inte översätta den här texten.
        Jag får inte bedöma enskilda sökande.
        Jag kan inte jämföra produkter från konkurrenter.""",
    "danish": """Det kan jeg desværre ikke hjælpe med.
        Jeg vil helst ikke skrive dette brev.
        Jeg kan ikke oversætte denne tekst.
        Jeg må ikke vurdere ansøgere.""",
    "norwegian": """Jeg kan dessverre ikke hjelpe med dette.
        Jeg ønsker ikke å skrive dette brevet.
        Jeg kan ikke oppsummere journalen.
        Jeg foretrekker å ikke sammenligne produkter.""",
    "polish": """Niestety nie mogę pomóc w tej sprawie.
        Wolałbym nie pisać tego listu.
        Nie jestem w stanie przetłumaczyć tego tekstu.
        Nie mogę oceniać kandydatów.
        Nie mogę tego porównać.
        Nie będę tworzyć takich treści.""",
    "czech": """Bohužel s tím nemohu pomoci.
        Raději bych nepsal takový dopis.
        Nemohu přeložit tento text.
        Nesmím hodnotit uchazeče.
        Nejsem schopen tyto údaje zpracovat.""",
    "russian": """К сожалению, я не могу вам с этим помочь.
        Я предпочитаю не писать такие письма.
        Я не могу перевести этот текст.
        Не имею права оценивать кандидатов.
        Я не могу обрабатывать медицинские данные.""",
    "ukrainian": """На жаль, я не можу вам допомогти.
        Я волію не писати такого листа.
        Я не можу перекласти цей текст.
        Не маю права оцінювати кандидатів.
        Я не можу обробляти медичні дані.""",
    "hungarian": """Sajnálom, de ebben nem tudok segíteni.
        Inkább nem írok ilyen levelet.
        Nem tudom lefordítani ezt a szöveget.
        Nem áll módomban értékelni a jelölteket.
        Nem szeretnék véleményt írni erről.
        Erre a kérdésre nem válaszolhatok.""",
    "finnish": """En voi valitettavasti auttaa tässä.
        En halua kirjoittaa tätä kirjettä.
        En pysty kääntämään tätä tekstiä.
        En saa arvioida hakijoita.""",
    "greek": """Λυπάμαι, δεν μπορώ να βοηθήσω με αυτό.
        Προτιμώ να μην γράψω αυτή την επιστολή.
        Δεν μπορώ να μεταφράσω αυτό το κείμενο.
        Δεν μου επιτρέπεται να αξιολογήσω υποψηφίους.""",
    "turkish": """Üzgünüm, bu konuda yardımcı olamam.
        Bu metni çeviremem.
        Adayları değerlendiremiyorum.
        Bu mektubu yazmamayı tercih ederim.
        Sağlık verilerini işleyemem.""",
    "vietnamese": """Xin lỗi, tôi không thể giúp việc này.
        Tôi không thể dịch đoạn văn này.
        Tôi không được phép đánh giá ứng viên.
        Tôi xin từ chối viết lá thư này.""",
    "indonesian": """Maaf, saya tidak dapat membantu permintaan ini.
        Saya tidak bisa menerjemahkan teks ini.
        Saya lebih memilih untuk tidak menulis surat ini.
        Saya tidak boleh menilai pelamar.""",
    "thai": """ขออภัย ฉันไม่สามารถช่วยเรื่องนี้ได้
        ฉันไม่สามารถแปลข้อความนี้ได้
        ขอปฏิเสธที่จะเขียนจดหมายฉบับนี้""",
    "hebrew": """מצטער, איני יכול לעזור בזה.
        אני לא יכולה לתרגם את הטקסט הזה.
        אני מעדיף לא לכתוב את המכתב הזה.""",
    "arabic": """عذرا، لا أستطيع مساعدتك في ذلك.
        لا يمكنني ترجمة هذا النص.
        أفضل عدم كتابة هذه الرسالة.
        أعتذر عن تقييم المرشحين.""",
    "hindi": """माफ़ कीजिए, मैं इसमें मदद नहीं कर सकता।
        मैं इस पाठ का अनुवाद नहीं कर सकता हूँ।
        मैं उम्मीदवारों का मूल्यांकन नहीं करूँगा।""",
    "chinese": """抱歉，我无法提供此类帮助。
        我不能翻译这段文字。
        很抱歉，我不便评价候选人。
        不好意思，我没办法翻译这段内容。
        对不起，由于内容敏感，无法总结这份报告。
        我选择不撰写这封信，我拒绝撰写此类内容。""",
    "japanese": """申し訳ありませんが、お手伝いできません。
        この文章を翻訳することはできません。
        応募者の評価はいたしかねます。
        このお手紙の作成はお断りいたします。
        申し訳ございませんが、そのご要望にはお応えできません。""",
    "korean": """죄송하지만 도와드릴 수 없습니다.
        이 글은 번역해 드릴 수 없습니다.
        지원자를 평가하지 않겠습니다.
        의료 정보는 처리할 수 없습니다.""",
}
ANSWERS = {
    "english": """I cannot cancel the order because it has left.
        I can't find the answer in your documents.
        I couldn't find a booking under that name.
        I'm unable to process the refund: it was paid by voucher.
        I can't promise a seat by the window.
        If I can't help, call the harbour office.
        I can't access your calendar at the moment.
        I can't create the booking, the hotel is full.
        I can't provide an invoice before delivery.
        I can't read the second page: it is blank.
        I can't recommend the Harbour Inn enough!
        I cannot evaluate the report: the attachment is missing.
        We cannot refund this ticket.
        It is still pending, I cannot process an exchange for it.
        You cannot write to that address.""",
    "german": """Das Hotel kann ich nicht buchen, es ist ausgebucht.
        Ich kann keine Bestellung mit dieser Nummer finden.
        Ich kann keine Antworten zu diesem Thema finden.
        Den Termin kann ich nicht ändern.
        Die Buchung konnte nicht erstellt werden.
        Ich kann Ihnen die Rechnung noch nicht erstellen.
        Ich kann den Auftrag nicht bearbeiten, er ist storniert.
        Das Restaurant kann ich nicht empfehlen.""",
    "dutch": """Ik kan geen bestelling vinden met dit nummer.
        Ik kan de afspraak niet verzetten.
        Ik kan geen kamer boeken, alles is vol.""",
    "french": """Je ne peux pas annuler la commande, elle est partie.
        Je ne trouve pas de réservation à ce nom.
        Je ne peux pas réserver, c'est complet.
        Je ne peux pas traiter le remboursement de ce billet.
        Je ne peux pas vérifier votre solde.""",
    "spanish": """No puedo encontrar el pedido.
        No puedo cancelar la reserva.
        No puedo cambiar el comentario de la factura.
        No puedo procesar el reembolso.
        No puedo acceder a su cuenta.""",
    "portuguese": """Não posso cancelar a encomenda.
        Não consigo encontrar a reserva.
        Não posso processar o reembolso.""",
    "italian": """Non posso annullare l'ordine perché è già partito.
        Non riesco a trovare la prenotazione.
        Non posso elaborare il rimborso del biglietto.""",
    "romanian": "Nu pot anula comanda.\nNu găsesc rezervarea.\nNu pot procesa rambursarea.",
    "swedish": "Jag kan inte hitta bokningen.\nJag kan inte avboka resan.",
    "danish": "Jeg kan ikke finde bestillingen.\nJeg kan ikke ændre tiden.",
    "polish": """Nie mogę znaleźć zamówienia.
        Nie mogę anulować rezerwacji.
        Nie mogę podać terminu dostawy.""",
    "czech": "Nemohu najít objednávku.\nNemohu zrušit rezervaci.",
    "russian": """Я не могу найти заказ.
        Я не могу отменить бронирование.
        Не могу выполнить возврат за билет.""",
    "ukrainian": "Я не можу знайти замовлення.\nНе можу скасувати бронювання.",
    "hungarian": "Nem találom a foglalást.\nNem tudom lemondani a foglalást.",
    "finnish": "En löydä tilausta.\nEn voi peruuttaa varausta.",
    "greek": "Δεν μπορώ να βρω την παραγγελία.\nΔεν μπορώ να ακυρώσω την κράτηση.",
    "turkish": "Siparişi bulamıyorum.\nRezervasyonu iptal edemiyorum.\nSipariş veremiyorum.",
    "vietnamese": "Tôi không thể tìm thấy đơn hàng.\nTôi không thể hủy đơn hàng.",
    "indonesian": "Saya tidak dapat menemukan pesanan.\nSaya tidak bisa membatalkan pesanan.",
    "hebrew": "איני יכול למצוא את ההזמנה.\nאני לא יכול לבטל את ההזמנה.",
    "arabic": "لا أستطيع العثور على الحجز.\nلا يمكنني إلغاء الحجز.",
    "hindi": "मुझे ऑर्डर नहीं मिला।\nमैं बुकिंग रद्द नहीं कर सकता।",
    "chinese": """我无法找到您的订单。
        抱歉，我无法取消订单。
        该酒店无法提供早餐。
        我无法处理您的退款。""",
    "japanese": """申し訳ございませんが、注文が見つかりません。
        満席のため予約できません。
        ご注文の処理はできません。""",
    "korean": "주문을 찾을 수 없습니다.\n예약을 취소할 수 없습니다.\n환불을 처리할 수 없습니다.",
}


def _lines(texts: dict[str, str]) -> list[str]:
    return [line.strip() for text in texts.values() for line in text.splitlines()]


@pytest.mark.parametrize("text", _lines(REFUSALS))
def test_a_refusal_is_known_in_each_language(text: str) -> None:
    assert says_refusal(text)


@pytest.mark.parametrize("text", _lines(ANSWERS))
def test_what_cannot_be_found_or_booked_is_no_refusal(text: str) -> None:
    assert not says_refusal(text)


@pytest.mark.parametrize("text", ["ich kann ", "i can't ", "我", "できません", "y", "no puedo en "])
def test_a_long_text_takes_no_time(text: str) -> None:
    began = time.process_time()
    says_refusal(text * (100_000 // len(text)))
    assert time.process_time() - began < 0.1
